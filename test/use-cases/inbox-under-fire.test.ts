import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { deleteVersion } from '../../shared/delete.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { publishFromInbox } from '../../shared/inbox.ts';
import { aPackage } from '../packages.ts';
import { type Random, randomFrom } from '../random.ts';
import { somebody } from '../store/records.ts';
import { aWorld, root, versionId } from './world.ts';

const demo = versionId('demo', '1.0.0');
const HISTORIES = 80;

class Killed extends Error {}

/**
 * One version that several packages want to be, each delivered once; events that come twice, at the same time
 * and late; functions that end at any call to a store; deletes in between. What was live and went away is
 * never live again.
 */
async function runHistory(random: Random): Promise<void> {
  let faults = true;
  // The key under which each package was live, by digest, and those that are not any more.
  const keysOf = new Map<string, string>();
  const gone = new Set<string>();
  let before: string | undefined;
  let violation: string | undefined;
  const look = () => {
    const live = world.versions.items()[0]?.live;
    if (before !== undefined && live?.digest !== before) gone.add(before);
    before = live?.digest;
    if (live === undefined) return;
    if (gone.has(live.digest)) violation ??= `${live.digest} came back`;
    const known = keysOf.get(live.digest) ?? live.key;
    if (known !== live.key) violation ??= `${live.digest} was published twice`;
    keysOf.set(live.digest, known);
  };
  const world = aWorld({
    hook: async () => {
      look();
      for (let turns = random.below(3); turns > 0; turns -= 1) await turn();
      if (faults && random.chance(0.03)) throw new Killed();
    },
  });
  const survive = async (work: Promise<unknown>) => {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof Killed) && !(error instanceof Fault)) throw error;
    }
    look();
    expect(violation).toBeUndefined();
  };
  const digests = new Map<string, string>();
  const keys: string[] = [];
  const deliver = async () => {
    const key = `inbox/-/u${keys.length}.tgz`;
    const bytes = await aPackage({ description: key });
    const force = random.chance(0.5);
    const created = new Date(world.clock.now()).toISOString();
    faults = false;
    const waiting = {
      id: `u${keys.length}`,
      created,
      by: somebody,
      force,
      mayReplace: true,
      copied: false,
      outcome: { state: 'waiting' },
    } as const;
    await world.uploads.put(root, waiting, 0);
    await world.objects.put(key, bytes, { contentType: 'application/octet-stream' });
    faults = true;
    keys.push(key);
    digests.set(key, digestOf(bytes));
  };

  await deliver();
  for (let step = 0; step < 12; step += 1) {
    const choice = random.below(10);
    if (choice < 2) await deliver();
    else if (choice < 7) await survive(publishFromInbox(world, root, random.pick(keys)));
    else if (choice < 8) {
      const [a, b] = [random.pick(keys), random.pick(keys)];
      await Promise.all([
        survive(publishFromInbox(world, root, a)),
        survive(publishFromInbox(world, root, b)),
      ]);
    } else await survive(deleteVersion(world, demo, somebody));
    if (random.chance(0.2)) world.clock.advance(61_000);
  }

  faults = false;
  world.clock.advance(61_000);
  for (const key of keys) {
    await survive(publishFromInbox(world, root, key));
    const id = key.slice('inbox/-/'.length, -'.tgz'.length);
    const state = (await world.uploads.get(root, id))?.outcome.state;
    expect(state, key).toMatch(/^(published|rejected)$/);
    if (state === 'published') expect([...keysOf.keys()], key).toContain(digests.get(key));
    else expect([...world.objects.objects.keys()]).toContain(key.replace('inbox', 'rejected'));
  }
  expect([...world.objects.objects.keys()].filter((key) => key.startsWith('inbox/'))).toEqual([]);
  const live = (await world.versions.get(demo))?.live;
  expect(live === undefined || world.objects.objects.has(live.key)).toBe(true);
}

describe('the inbox under fire', () => {
  it('publishes each package at most once, and loses none', async () => {
    for (let seed = 1; seed <= HISTORIES; seed += 1) {
      try {
        await runHistory(randomFrom(seed));
      } catch (error) {
        throw new Error(`history ${seed}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
  }, 60_000);
});
