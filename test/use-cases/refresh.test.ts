import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { partSizes } from '../../shared/domain/compose-index.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import type { Call } from '../store/hook.ts';
import { aWorld, listed, root } from './world.ts';

const anyNumber = { rebuildAtMost: Number.POSITIVE_INFINITY };
const GENERATED = '2026-01-02T03:04:05Z';

describe('refreshing an index', () => {
  it('lists what was published and clears its marks', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await world.publish('b', '2.0.0');
    expect(await refreshIndex(world, root, anyNumber)).toMatchObject({ kind: 'refreshed' });
    expect(listed(await world.published())).toEqual(['a 1.0.0', 'b 2.0.0']);
    expect(world.marks()).toEqual([]);
  });

  it('takes a deleted version out and forgets its tombstone', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    await world.remove('a', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    expect(listed(await world.published())).toEqual([]);
    expect(world.versions.items()).toEqual([]);
  });

  it('does nothing without marks', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    const before = await world.pointers.get(root);
    expect(await refreshIndex(world, root, anyNumber)).toEqual({ kind: 'unchanged' });
    expect(await world.pointers.get(root)).toEqual(before);
  });

  it('leaves nothing behind for a repository that nobody published to', async () => {
    const world = aWorld();
    expect(await refreshIndex(world, root, anyNumber)).toEqual({ kind: 'empty' });
    expect(world.objects.objects.size).toBe(0);
    expect(await world.pointers.get(root)).toBeUndefined();
  });

  it('reads one chart after one publish, however many there are', async () => {
    const calls: Call[] = [];
    const world = aWorld({ hook: async (call) => void calls.push(call) });
    for (const name of ['a', 'b', 'c', 'd']) await world.publish(name, '1.0.0');
    await refreshIndex(world, root, anyNumber);
    calls.length = 0;
    await world.publish('c', '1.1.0');
    await refreshIndex(world, root, anyNumber);
    const reads = calls.filter(({ operation, phase }) => phase === 'before' && operation.startsWith('of'));
    expect(reads.map(({ operation }) => operation)).toEqual(['ofChart']);
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
  });

  it.each([
    { how: 'put as a whole', sizes: partSizes },
    { how: 'composed', sizes: { wholeBytes: 0, leastBytes: 150, sentBytes: 200, copiedBytes: 300 } },
  ])('gives the bytes of a full rebuild after any history, $how', async ({ sizes }) => {
    const anyStep = fc.record({
      act: fc.constantFrom('publish', 'publish', 'delete', 'refresh'),
      name: fc.constantFrom('a', 'b', 'a-b', '__proto__'),
      version: fc.constantFrom('1.0.0', '1.0.0+b', '1.1.0-rc.1', '2.0.0'),
      description: fc.string(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 30 }), async (steps) => {
        const world = aWorld({ partSizes: sizes });
        for (const { act, name, version, description } of steps) {
          if (act === 'publish') await world.publish(name, version, description);
          if (act === 'delete') await world.remove(name, version);
          if (act === 'refresh') await refreshIndex(world, root, anyNumber);
        }
        const { kind } = await refreshIndex(world, root, anyNumber);
        if (kind === 'empty') return;
        expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
        expect(world.marks()).toEqual([]);
      }),
    );
  });

  it('keeps the mark of a version that changed while the index was made', async () => {
    let change: (() => Promise<unknown>) | undefined;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation !== 'flip' || phase !== 'before') return;
        const late = change;
        change = undefined;
        await late?.();
      },
    });
    await world.publish('a', '1.0.0', 'first');
    change = () => world.publish('a', '1.0.0', 'second');
    await refreshIndex(world, root, anyNumber);
    expect(world.marks()).toHaveLength(1);
    await refreshIndex(world, root, anyNumber);
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
  });

  it('begins again when another index became current meanwhile', async () => {
    let other: (() => Promise<unknown>) | undefined;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation !== 'flip' || phase !== 'before') return;
        const faster = other;
        other = undefined;
        await faster?.();
      },
    });
    await world.publish('a', '1.0.0');
    other = () => refreshIndex(world, root, anyNumber);
    expect(await refreshIndex(world, root, anyNumber)).toEqual({ kind: 'overtaken' });
    expect(listed(await world.published())).toEqual(['a 1.0.0']);
  });

  it('takes nothing for lost that was published after its charts were read, and is in an index of another', async () => {
    let read: () => void = () => {};
    const isRead = new Promise<void>((resolve) => {
      read = resolve;
    });
    let other: (() => Promise<unknown>) | undefined;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation === 'ofChart' && phase === 'after') read();
        if (operation !== 'list' || phase !== 'before' || other === undefined) return;
        const dying = other;
        other = undefined;
        await isRead;
        await dying();
      },
    });
    await world.publish('a', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    await world.publish('a', '1.1.0');
    other = async () => {
      await world.publish('a', '1.2.0');
      const flip = () => Promise.reject(new Error('cut off'));
      const cutOff = refreshIndex({ ...world, pointers: { ...world.pointers, flip } }, root, anyNumber);
      await expect(cutOff).rejects.toThrow('cut off');
    };
    await refreshIndex(world, root, anyNumber);
    expect(world.notices).toEqual([]);
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
  });

  it('may be cut off at any call and then be run again', async () => {
    for (let cut = 0; ; cut += 1) {
      let calls = 0;
      let armed = false;
      const world = aWorld({
        hook: async () => {
          calls += armed ? 1 : 0;
          if (armed && calls === cut + 1) throw new Error('cut off');
        },
      });
      await world.publish('a', '1.0.0');
      await refreshIndex(world, root, anyNumber);
      await world.publish('a', '1.1.0');
      await world.publish('b', '1.0.0');
      armed = true;
      const finished = await refreshIndex(world, root, anyNumber).then(
        () => true,
        () => false,
      );
      armed = false;
      await refreshIndex(world, root, anyNumber);
      expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
      expect(world.marks()).toEqual([]);
      if (finished) return expect(cut).toBeGreaterThan(10);
    }
  });

  it.each([
    { what: 'the index object', file: 'index.yaml' },
    { what: 'its ranges', file: 'ranges.json' },
  ])('builds the index anew when $what is lost', async ({ file }) => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await world.publish('b', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    const pointer = await world.pointers.get(root);
    await world.objects.remove([`${pointer?.folder}${file}`]);
    await world.publish('c', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
  });

  it.each([
    { what: 'is no text of ranges', from: '["a"', to: '{"a"' },
    { what: 'says other sizes than its block', from: /\["a",\d/, to: '["a",9' },
  ])('builds the index anew when a block of its ranges $what', async ({ from, to }) => {
    const world = aWorld();
    for (const name of ['a', 'b', 'd']) await world.publish(name, '1.0.0');
    await refreshIndex(world, root, anyNumber);
    const key = `${(await world.pointers.get(root))?.folder}ranges.json`;
    const [head = '', rows = ''] = Buffer.from((await world.objects.get(key)) ?? [])
      .toString()
      .split(/(?<=^.*\n)/);
    const damaged = head + rows.replace(from, to);
    await world.objects.put(key, Buffer.from(damaged), { contentType: 'application/json' });
    await world.publish('c', '1.0.0');
    expect(await refreshIndex(world, root, anyNumber)).toMatchObject({ kind: 'refreshed' });
    expect(await world.published()).toBe(world.rebuilt(root, GENERATED));
    expect(world.notices).toEqual([]);
  });

  it('builds the index anew when the settings changed, though nothing is marked', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await refreshIndex(world, root, anyNumber);
    const settings = { ...world.settings, chartUrl: 'https://charts.example.com' };
    await refreshIndex({ ...world, settings }, root, anyNumber);
    expect(await world.published()).toContain('"urls":["https://charts.example.com/charts/a-1.0.0.tgz"]');
  });

  it('reads no more versions than it may when it must build the index anew', async () => {
    const world = aWorld();
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await world.publish('a', version);
    expect(await refreshIndex(world, root, { rebuildAtMost: 2 })).toEqual({ kind: 'too_large_to_rebuild' });
    expect(world.marks()).toHaveLength(3);
    expect(await refreshIndex(world, root, { rebuildAtMost: 3 })).toMatchObject({ kind: 'refreshed' });
  });

  it('does not mix repositories, at whatever depth', async () => {
    const world = aWorld();
    const org = parseRepository(['a']);
    const team = parseRepository(['a', 'b']);
    await world.publish('x', '1.0.0', '', org);
    await world.publish('y', '1.0.0', '', team);
    await refreshIndex(world, org, anyNumber);
    expect(listed(await world.published(org))).toEqual(['x 1.0.0']);
    await refreshIndex(world, team, anyNumber);
    expect(listed(await world.published(team))).toEqual(['y 1.0.0']);
  });
});
