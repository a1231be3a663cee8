import { describe, expect, it } from 'vitest';
import type { Call } from './hook.ts';
import { memoryVersions } from './memory-versions.ts';
import { aPending, aRepository, aVersionId, now } from './records.ts';

const rules = { overwrite: false, now };

/** A hook that throws in that phase of a reservation. */
const failing = (phase: Call['phase']) => async (call: Call) => {
  if (call.operation === 'reserve' && call.phase === phase) throw new Error(`lost ${phase}`);
};

describe('the hook of a memory store', () => {
  it('runs before and after each call', async () => {
    const calls: Call[] = [];
    const store = memoryVersions({ hook: async (call) => void calls.push(call) });
    await store.reserve(aVersionId(), aPending(aVersionId()), rules);
    expect(calls).toEqual([
      { store: 'versions', operation: 'reserve', phase: 'before' },
      { store: 'versions', operation: 'reserve', phase: 'after' },
    ]);
  });

  it.each([
    { phase: 'before', applied: false },
    { phase: 'after', applied: true },
  ] as const)('can fail a call $phase it was applied', async ({ phase, applied }) => {
    const store = memoryVersions({ hook: failing(phase) });
    const id = aVersionId();
    await expect(store.reserve(id, aPending(id), rules)).rejects.toThrow(`lost ${phase}`);
    expect((await store.get(id)) !== undefined).toBe(applied);
  });

  it('decides which call goes first', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reservations = 0;
    const store = memoryVersions({
      hook: async ({ phase }) => {
        if (phase === 'before' && ++reservations === 1) await released;
      },
    });
    const id = aVersionId();
    const held = store.reserve(id, aPending(id), rules);
    expect(await store.reserve(id, aPending(id), rules)).toBe(true);
    release();
    expect(await held).toBe(false);
  });

  it('lets others change the store between two pages', async () => {
    const repository = aRepository();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => aVersionId({ repository, name }));
    if (!a || !b || !c) throw new Error('unreachable');
    const store = memoryVersions({ pageItems: 1 });
    for (const id of [a, b]) await store.reserve(id, aPending(id), rules);
    const names: string[] = [];
    for await (const { name } of store.ofRepository(repository)) {
      names.push(name);
      if (name === 'a') await store.reserve(c, aPending(c), rules);
    }
    expect(names).toEqual(['a', 'b', 'c']);
  });
});
