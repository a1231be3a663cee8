import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { REPLACED_KEPT_MS } from '../../shared/domain/flips.ts';
import type { Finding } from '../../shared/findings.ts';
import { byRepository, handleObjectEvents } from '../../shared/handle-object-events.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import { randomFrom } from '../random.ts';
import { aWorld, root, versionId } from './world.ts';

type World = ReturnType<typeof aWorld>;

const PUBLISHES = 1_000;
const DAY_MS = 24 * 60 * 60 * 1000;

const indexObjects = ({ objects }: World) =>
  [...objects.objects].filter(([key]) => key.startsWith('index/-/') && key.endsWith('/index.yaml'));

const bytesIn = ({ objects }: World, folder: string) =>
  [...objects.objects].reduce(
    (sum, [key, { bytes }]) => sum + (key.startsWith(folder) ? bytes.length : 0),
    0,
  );

/** A repository with versions whose index is current since long ago. */
async function aSettledWorld(): Promise<World> {
  const world = aWorld();
  for (let n = 0; n < 100; n += 1) await world.publish(`chart${n % 10}`, `1.0.${n}`);
  await currentIndex(world, root);
  await world.publish('chart0', '1.1.0');
  await currentIndex(world, root);
  world.clock.advance(DAY_MS);
  return world;
}

/** A publish, and the indexer that hears of it. */
async function publishAndIndex(world: World, n: number): Promise<void> {
  const { key } = await world.publish(`chart${n % 10}`, `2.0.${n}`);
  await handleObjectEvents(world, root, byRepository([{ key, kind: 'created' }]).get(root) ?? []);
}

describe('a day of 1,000 publishes', () => {
  it('keeps three indexes at most where they are evenly spaced', async () => {
    const world = await aSettledWorld();
    let [most, mostBytes] = [0, 0];
    for (let n = 0; n < PUBLISHES; n += 1) {
      await publishAndIndex(world, n);
      most = Math.max(most, indexObjects(world).length);
      mostBytes = Math.max(mostBytes, bytesIn(world, 'index/'));
      world.clock.advance(DAY_MS / PUBLISHES);
    }
    expect(most).toBe(3);
    const one = bytesIn(world, (await world.pointers.get(root))?.folder ?? '');
    expect(mostBytes).toBeLessThanOrEqual(3 * one);
  });

  it('keeps those that were replaced just now, at whatever moments', async () => {
    const random = randomFrom(1);
    const moments = Array.from({ length: PUBLISHES }, () => random.below(DAY_MS)).sort((a, b) => a - b);
    const world = await aSettledWorld();
    const begin = world.clock.now();
    /** Each index that was current, and until when. */
    const until = new Map<string, number>();
    for (const [n, moment] of moments.entries()) {
      world.clock.advance(begin + moment - world.clock.now());
      const before = (await world.pointers.get(root))?.folder ?? '';
      await publishAndIndex(world, n);
      const now = world.clock.now();
      until.set(before, now);
      const young = [...until].filter(([, end]) => now - end <= REPLACED_KEPT_MS).map(([folder]) => folder);
      const kept = indexObjects(world).map(([key]) => key.replace('index.yaml', ''));
      expect(kept).toEqual(expect.arrayContaining(young));
      // Moments that are close to each other are kept as one.
      const close = [...until].filter(([, end]) => now - end <= REPLACED_KEPT_MS + 20_000);
      expect(kept.length).toBeLessThanOrEqual(close.length + 2);
    }
    world.clock.advance(REPLACED_KEPT_MS + 1);
    await reconcileRepository({ ...world, found: () => {} }, root, 'safe');
    expect(indexObjects(world)).toHaveLength(1);
  });
});

describe('a burst of publishes', () => {
  it('makes no pointer that is dear to read, and leaves nothing behind once another follows', async () => {
    const world = await aSettledWorld();
    for (let n = 0; n < 300; n += 1) {
      await publishAndIndex(world, n);
      world.clock.advance(1_000);
    }
    expect((await world.pointers.get(root))?.flips.length).toBeLessThan(20);
    expect(indexObjects(world).length).toBeGreaterThanOrEqual(REPLACED_KEPT_MS / 1_000);
    world.clock.advance(REPLACED_KEPT_MS + 1);
    await publishAndIndex(world, 300);
    expect(indexObjects(world)).toHaveLength(2);
  });
});

it('an index of an earlier Chartroom, of which no flip is known, is kept for an hour after the one that replaced it', async () => {
  const world = await aSettledWorld();
  const forget = async () => {
    const pointer = await world.pointers.get(root);
    if (pointer !== undefined) await world.pointers.flip(root, pointer, { ...pointer, flips: [] });
  };
  await publishAndIndex(world, 1);
  await forget();
  const late = byRepository([{ key: 'charts/-/x/1.0.0/x.tgz.prov', kind: 'removed' }]).get(root) ?? [];
  world.clock.advance(59 * 60_000);
  await handleObjectEvents(world, root, late);
  expect(indexObjects(world)).toHaveLength(2);
  world.clock.advance(2 * 60_000);
  await handleObjectEvents(world, root, late);
  expect(indexObjects(world)).toHaveLength(1);
});

it('a look at an index that is replaced and removed under it still finds what was lost', async () => {
  const world = await aSettledWorld();
  // Longer than what is read of an index at once.
  for (let n = 0; n < 40; n += 1) await world.publish('large', `1.0.${n}`, 'x'.repeat(120_000));
  const { key } = await world.publish('z', '1.0.0');
  await world.objects.put(key, Buffer.from('package'), { contentType: 'application/x-tar' });
  const first = (await currentIndex(world, root))?.folder ?? '';
  world.clock.advance(DAY_MS);
  world.versions.lose(versionId('z', '1.0.0'));
  let isReplaced = false;
  const objects = {
    ...world.objects,
    list: async function* (prefix: string) {
      if (prefix === 'charts/-/z/' && !isReplaced) {
        isReplaced = true;
        await publishAndIndex(world, 1);
        world.clock.advance(REPLACED_KEPT_MS + 1);
        await publishAndIndex(world, 2);
        expect(bytesIn(world, first)).toBe(0);
      }
      yield* world.objects.list(prefix);
    },
  };
  const found: Finding[] = [];
  await reconcileRepository(
    { ...world, objects, found: (finding) => void found.push(finding) },
    root,
    'safe',
  );
  expect(isReplaced).toBe(true);
  expect(found).toContainEqual(expect.objectContaining({ kind: 'version_lost', name: 'z' }));
  expect(world.objects.objects.has(key)).toBe(true);
});
