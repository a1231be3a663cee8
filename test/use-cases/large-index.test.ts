import { describe, expect, it } from 'vitest';
import { partSizes } from '../../shared/domain/compose-index.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import { countedObjects } from '../store/counted-objects.ts';
import type { Call } from '../store/hook.ts';
import { aWorld, root } from './world.ts';

const anyNumber = { rebuildAtMost: Number.POSITIVE_INFINITY };
const GENERATED = '2026-01-02T03:04:05Z';
const MIB = 1024 * 1024;

const named = (n: number) => `chart-${String(n).padStart(2, '0')}`;

/** A repository whose index has 40 MB, of few charts with much to say. */
async function aLargeWorld(hook?: (call: Call) => Promise<void>) {
  const world = aWorld(hook && { hook });
  for (let n = 0; n < 40; n += 1) await world.publish(named(n), '1.0.0', `${n} `.repeat(MIB / 3));
  await refreshIndex(world, root, anyNumber);
  return world;
}

describe('a large index', () => {
  it('moves one window of it after one publish', async () => {
    const world = await aLargeWorld();
    const before = world.objects.objects.get(`${(await world.pointers.get(root))?.folder}index.yaml`);
    expect(before?.bytes.length).toBeGreaterThan(36 * MIB);

    await world.publish(named(10), '1.1.0', 'x');
    const { objects, bytes, calls } = countedObjects(world.objects);
    expect(await refreshIndex({ ...world, objects }, root, { rebuildAtMost: 0 })).toMatchObject({
      kind: 'refreshed',
    });
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    // The fragment of the chart, which is looked at for losses, the window after it, and the ranges.
    expect(bytes.got).toBeLessThan(1.1 * MIB + 5 * MIB);
    expect(bytes.sent).toBeLessThan(5.1 * MIB);
    expect(bytes.put).toBeLessThan(10_000);
    expect(calls.sort()).toEqual([
      'compose index.yaml',
      ...['copy index.yaml', 'copy index.yaml', 'copy index.yaml'],
      'get of index.yaml',
      'get of index.yaml',
      'get ranges.json',
      'head index.yaml',
      'list ',
      'put ranges.json',
      'send ',
      'send ',
    ]);
  });

  it('has one window of changes that lie close, and reads each changed chart once', async () => {
    const read: string[] = [];
    const world = await aLargeWorld(async ({ operation, phase }) => {
      if (phase === 'before' && operation === 'ofChart') read.push(operation);
    });
    for (const n of [10, 11, 13]) await world.publish(named(n), '1.1.0', 'x');
    read.length = 0;
    const { objects, bytes } = countedObjects(world.objects);
    await refreshIndex({ ...world, objects }, root, anyNumber);
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    expect(bytes.sent).toBeLessThan(6 * MIB);
    expect(read).toHaveLength(3);
  });

  it('is built anew in parts, of which none is large', async () => {
    const world = await aLargeWorld();
    const { objects, bytes, calls } = countedObjects(world.objects);
    await refreshIndex({ ...world, objects }, root, { ...anyNumber, rebuild: true });
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    expect(bytes.largestPart).toBe(partSizes.sentBytes);
    expect(bytes.copied).toBe(0);
    expect(calls.filter((call) => call.startsWith('put'))).toEqual(['put ranges.json']);
  });

  it('is put as a whole again once it is small', async () => {
    const world = await aLargeWorld();
    for (let n = 5; n < 40; n += 1) await world.remove(named(n), '1.0.0');
    const { objects, calls } = countedObjects(world.objects);
    await refreshIndex({ ...world, objects }, root, anyNumber);
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    expect(calls).toContain('put index.yaml');
  });
});

describe('a composed index of many charts', () => {
  const many = Array.from({ length: 400 }, (_, n) => `chart-${String(n).padStart(4, '0')}`);
  const composed = { wholeBytes: 0, leastBytes: 500_000, sentBytes: 1_000_000, copiedBytes: 1_000_000 };

  async function aWorldOfMany() {
    const world = aWorld({ partSizes: composed });
    for (const name of many) await world.publish(name, '1.0.0', 'x'.repeat(2_000));
    await refreshIndex(world, root, anyNumber);
    return world;
  }

  it('is compared window by window with one that somebody began after it and never made current', async () => {
    const world = await aWorldOfMany();
    await world.publish(many[1] ?? '', '1.1.0');
    const flip = () => Promise.reject(new Error('cut off'));
    const dying = refreshIndex({ ...world, pointers: { ...world.pointers, flip } }, root, anyNumber);
    await expect(dying).rejects.toThrow('cut off');

    const { objects, calls } = countedObjects(world.objects);
    await refreshIndex({ ...world, objects }, root, { rebuildAtMost: 0 });
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    expect(world.notices).toEqual([]);
    // Not one for each of the charts.
    expect(calls.filter((call) => call.startsWith('get')).length).toBeLessThan(20);
  });

  it('is asked for a few stretches at once, so that eight parts find the sockets that they need', async () => {
    const world = await aWorldOfMany();
    for (const name of many.filter((_, n) => n % 2 === 0)) await world.publish(name, '1.1.0');
    let [underWay, most] = [0, 0];
    const get: typeof world.objects.get = async (...asked) => {
      underWay += 1;
      most = Math.max(most, underWay);
      // Nothing is answered before all that is asked at once was asked.
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return await world.objects.get(...asked);
    };
    await refreshIndex({ ...world, objects: { ...world.objects, get } }, root, { rebuildAtMost: 0 });
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    // As many charts are looked at; of each part it is less.
    expect(most).toBeLessThanOrEqual(16);
  });
});

it('an index is spliced of 1,000 changed charts, and built anew of more', async () => {
  const world = aWorld();
  await world.publish('first', '1.0.0');
  await refreshIndex(world, root, anyNumber);
  for (let n = 0; n < 1_000; n += 1) await world.publish(`chart-${n}`, '1.0.0');
  expect(await refreshIndex(world, root, { rebuildAtMost: 0 })).toMatchObject({ kind: 'refreshed' });
  for (let n = 0; n < 1_001; n += 1) await world.publish(`chart-${n}`, '1.1.0');
  expect(await refreshIndex(world, root, { rebuildAtMost: 0 })).toEqual({ kind: 'too_large_to_rebuild' });
  expect(await refreshIndex(world, root, anyNumber)).toMatchObject({ kind: 'refreshed' });
  expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
  expect(world.marks()).toEqual([]);
});

const small = { wholeBytes: 0, leastBytes: 150, sentBytes: 200, copiedBytes: 300 };

describe('an index of which the one before goes missing while it is composed', () => {
  /** The n-th call that takes something from the index before finds it gone. */
  async function losing(nth: number, meanwhile: (world: ReturnType<typeof aWorld>) => Promise<unknown>) {
    let calls = 0;
    let armed = false;
    const world = aWorld({
      partSizes: small,
      hook: async ({ store, operation, phase }) => {
        if (!armed || store !== 'objects' || phase !== 'before') return;
        if (!['get', 'head', 'compose'].includes(operation)) return;
        calls += 1;
        if (calls !== nth) return;
        armed = false;
        const pointer = await world.pointers.get(root);
        await meanwhile(world);
        world.objects.lose(`${pointer?.folder}index.yaml`);
      },
    });
    for (const name of ['a', 'b', 'c', 'd', 'e']) await world.publish(name, '1.0.0', name.repeat(100));
    await refreshIndex(world, root, anyNumber);
    await world.publish('c', '1.1.0');
    armed = true;
    return { world, outcome: () => refreshIndex(world, root, anyNumber), wasReached: () => !armed };
  }

  it('is built anew, whenever that is', async () => {
    for (let nth = 1; ; nth += 1) {
      const { world, outcome, wasReached } = await losing(nth, async () => {});
      expect(await outcome()).toMatchObject({ kind: 'refreshed' });
      expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
      expect(world.marks()).toEqual([]);
      expect(world.notices).toEqual([]);
      if (!wasReached()) return expect(nth).toBeGreaterThan(5);
    }
  });

  it('is overtaken where that was replaced', async () => {
    for (let nth = 1; ; nth += 1) {
      const { world, outcome, wasReached } = await losing(nth, async (meanwhile) => {
        await meanwhile.publish('d', '1.1.0');
        await refreshIndex(meanwhile, root, anyNumber);
      });
      const { kind } = await outcome();
      if (!wasReached()) return expect(nth).toBeGreaterThan(5);
      expect(kind).toBe('overtaken');
      expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    }
  });

  it('is not built anew where that is too large a work', async () => {
    const { world } = await losing(Number.POSITIVE_INFINITY, async () => {});
    world.objects.lose(`${(await world.pointers.get(root))?.folder}index.yaml`);
    expect(await refreshIndex(world, root, { rebuildAtMost: 5 })).toEqual({ kind: 'too_large_to_rebuild' });
    expect(world.marks()).toHaveLength(1);
  });
});
