import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import type { Call } from '../store/hook.ts';
import { memoryPointers } from '../store/memory-pointers.ts';
import { aWorld, listed, root } from './world.ts';

const anyNumber = { rebuildAtMost: Number.POSITIVE_INFINITY };

describe('asking for the current index', () => {
  it('finds none where nothing was published', async () => {
    expect(await currentIndex(aWorld(), root)).toBeUndefined();
  });

  it('takes no lease and writes nothing where nothing was published, however many ask', async () => {
    const calls: Call[] = [];
    const world = aWorld({ hook: async (call) => void calls.push(call) });
    await Promise.all(Array.from({ length: 20 }, () => currentIndex(world, root)));
    const operations = new Set(calls.map(({ store, operation }) => `${store}.${operation}`));
    expect(operations).toEqual(new Set(['versions.marks', 'pointers.get', 'versions.ofRepository']));
  });

  it('finds what is there when the pointer is lost', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await currentIndex(world, root);
    const lost = { ...world, pointers: memoryPointers() };
    expect(await currentIndex(lost, root)).toMatchObject({ versions: 1 });
  });

  it('brings a stale index up to date first', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    const pointer = await currentIndex(world, root);
    expect(pointer).toEqual(await world.pointers.get(root));
    expect(listed(await world.published())).toEqual(['a 1.0.0']);
  });

  it('reads the marks first and the pointer after them, and nothing else, when it is up to date', async () => {
    const calls: Call[] = [];
    const world = aWorld({ hook: async (call) => void calls.push(call) });
    await world.publish('a', '1.0.0');
    await currentIndex(world, root);
    calls.length = 0;
    await currentIndex(world, root);
    expect(calls.map(({ store, operation, phase }) => `${store}.${operation} ${phase}`)).toEqual([
      'versions.marks before',
      'versions.marks after',
      'pointers.get before',
      'pointers.get after',
    ]);
  });

  it('does not refresh while another does, and takes its result', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await world.pointers.lease(root, 'another', { now: world.clock.now(), expires: Number.MAX_SAFE_INTEGER });
    let looks = 0;
    const clock = {
      ...world.clock,
      sleep: async () => {
        looks += 1;
        if (looks === 3) await refreshIndex(world, root, anyNumber);
      },
    };
    const pointer = await currentIndex({ ...world, clock }, root);
    expect(pointer).toMatchObject({ sequence: 1, versions: 1 });
  });

  it('takes over from a holder that died', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    const now = world.clock.now();
    await world.pointers.lease(root, 'dead', { now, expires: now + 5_000 });
    expect(await currentIndex(world, root)).toMatchObject({ sequence: 1, versions: 1 });
  });

  it('is not kept waiting by versions that are published while it waits', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    await world.publish('a', '1.0.0', 'again');
    await world.pointers.lease(root, 'another', { now: world.clock.now(), expires: Number.MAX_SAFE_INTEGER });
    const clock = {
      ...world.clock,
      // The same version is overwritten again and again, so it is marked whenever somebody looks.
      sleep: async () => {
        await refreshIndex(world, root, anyNumber);
        await world.publish('a', '1.0.0', 'again');
      },
    };
    expect(await currentIndex({ ...world, clock }, root)).toMatchObject({ sequence: 3 });
  });

  it('does not take a flip as proof whose marks may have been read before its own look', async () => {
    let world = aWorld();
    let overwrite = async () => {};
    world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation === 'lease' && phase === 'before') await overwrite();
      },
    });
    // A refresh that read its marks when there was none but b's…
    await world.publish('b', '1.0.0');
    await world.pointers.lease(root, 'another', { now: world.clock.now(), expires: Number.MAX_SAFE_INTEGER });
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = refreshIndex(
      {
        ...world,
        objects: { ...world.objects, put: (...put) => released.then(() => world.objects.put(...put)) },
      },
      root,
      anyNumber,
    );
    await new Promise((resolve) => setImmediate(resolve));
    // …while a is acknowledged, then read, then overwritten, so that its token changes.
    await world.publish('a', '1.0.0', 'first');
    overwrite = async () => {
      overwrite = async () => {};
      await world.publish('a', '1.0.0', 'second');
      release();
      await slow;
    };
    const clock = {
      ...world.clock,
      sleep: async () => {
        await refreshIndex(world, root, anyNumber);
      },
    };
    const pointer = await currentIndex({ ...world, clock }, root);
    expect(pointer?.sequence).toBe(2);
    expect(listed(await world.published())).toEqual(['a 1.0.0', 'b 1.0.0']);
  });

  it('answers "try again" when the index does not become current in time', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await world.pointers.lease(root, 'stuck', { now: world.clock.now(), expires: Number.MAX_SAFE_INTEGER });
    await expect(currentIndex(world, root)).rejects.toMatchObject({
      code: 'try_again',
      retryAfterSeconds: 5,
    });
  });

  it('covers 1,000 marks at once, for many readers', async () => {
    const world = aWorld();
    for (let n = 0; n < 1_000; n += 1) await world.publish(`chart${n % 50}`, `1.0.${n}`);
    const readers = await Promise.all(Array.from({ length: 20 }, () => currentIndex(world, root)));
    for (const pointer of readers) expect(pointer?.versions).toBe(1_000);
    expect(world.marks()).toEqual([]);
  });

  it('answers though the lease cannot be given back and the marks cannot be cleared', async () => {
    const world = aWorld({
      hook: async ({ operation }) => {
        if (operation === 'release' || operation === 'indexed') throw new Error('throttled');
      },
    });
    await world.publish('a', '1.0.0');
    expect(await currentIndex(world, root)).toMatchObject({ versions: 1 });
    expect(world.notices.map(({ kind }) => kind)).toEqual(['clean_up_failed', 'clean_up_failed']);
    expect(world.marks()).toHaveLength(1);
  });

  it('asks the indexer to rebuild what is too large for a request', async () => {
    const world = aWorld();
    for (let patch = 0; patch < 3; patch += 1) await world.publish('a', `1.0.${patch}`);
    await expect(currentIndex(world, root, { rebuildAtMost: 2 })).rejects.toMatchObject({
      code: 'try_again',
    });
    expect(world.objects.objects.has(rebuildRequestKey(root))).toBe(true);
  });

  it('serves many readers with few refreshes', async () => {
    const world = aWorld();
    for (let patch = 0; patch < 20; patch += 1) await world.publish('a', `1.0.${patch}`);
    const pointers = await Promise.all(Array.from({ length: 50 }, () => currentIndex(world, root)));
    expect(new Set(pointers.map((pointer) => pointer?.versions))).toEqual(new Set([20]));
    expect((await world.pointers.get(root))?.sequence).toBeLessThanOrEqual(2);
  });
});

describe('where many publish at once', () => {
  /** A world whose last refresh, a moment ago, took two versions along; and how long its readers waited. */
  async function aBusyWorld() {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await world.publish('b', '1.0.0');
    await currentIndex(world, root);
    const waited: number[] = [];
    const sleep = async (milliseconds: number) => {
      waited.push(milliseconds);
      await world.clock.sleep(milliseconds);
    };
    return { world, reader: { ...world, clock: { ...world.clock, sleep } }, waited };
  }

  it('refreshes a quarter of a second after the last refresh began, and takes along what came since', async () => {
    const { world, reader, waited } = await aBusyWorld();
    world.clock.advance(50);
    await world.publish('c', '1.0.0');
    await currentIndex(reader, root);
    expect(waited).toEqual([200]);
    expect(listed(await world.published())).toContain('c 1.0.0');
  });

  it('waits for nobody after a quiet moment', async () => {
    const { world, reader, waited } = await aBusyWorld();
    world.clock.advance(250);
    await world.publish('c', '1.0.0');
    await world.publish('d', '1.0.0');
    await currentIndex(reader, root);
    expect(waited).toEqual([]);
  });

  it.each([-3_600_000, 3_600_000])('waits no longer where a clock is %i ms off', async (off) => {
    const { world, reader, waited } = await aBusyWorld();
    world.clock.advance(off);
    await world.publish('c', '1.0.0');
    await currentIndex(reader, root);
    expect(waited).toEqual(off < 0 ? [250] : []);
    expect(listed(await world.published())).toContain('c 1.0.0');
  });

  it('keeps nobody waiting who publishes one version after the other and reads in between', async () => {
    const { world, reader, waited } = await aBusyWorld();
    world.clock.advance(250);
    for (let n = 0; n < 10; n += 1) {
      await world.publish('c', `1.0.${n}`);
      await currentIndex(reader, root);
    }
    expect(waited).toEqual([]);
  });

  it('refreshes four times a second at most, however many publish and read', async () => {
    const { world } = await aBusyWorld();
    const begin = { at: world.clock.now(), sequence: (await world.pointers.get(root))?.sequence ?? 0 };
    for (let n = 0; n < 100; n += 1) {
      for (const name of ['c', 'd']) await world.publish(name, `1.0.${n}`);
      await currentIndex(world, root);
    }
    const flips = ((await world.pointers.get(root))?.sequence ?? 0) - begin.sequence;
    expect(flips).toBeLessThanOrEqual((world.clock.now() - begin.at) / 250 + 1);
    expect(listed(await world.published())).toHaveLength(202);
  });
});
