import { describe, expect, it } from 'vitest';
import { indexRepositories } from '../../functions/index-repositories.ts';
import { currentIndex } from '../../shared/current-index.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { Finding } from '../../shared/findings.ts';
import { deleteRepository, putRepository } from '../../shared/known-repositories.ts';
import { createLabel } from '../../shared/labels.ts';
import { publishPackage } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { repair } from '../../shared/repair.ts';
import { aPackage, aProvenance } from '../packages.ts';
import type { Hook } from '../store/hook.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import { aWorld, root } from './world.ts';

type World = ReturnType<typeof aWorld>;

const DAY = 24 * 60 * 60 * 1000;
const HOUR = DAY / 24;
const org = parseRepository(['org']);
const team = parseRepository(['org', 'team']);

async function publish(world: World, repository: Repository, version: string): Promise<void> {
  const bytes = await aPackage({ version });
  await publishPackage(world, { repository, package: bytes, overwrite: true, by: somebody });
  const provenance = aProvenance(bytes, { version });
  await publishProvenance(world, { repository, provenance, overwrite: true, by: somebody });
  await currentIndex(world, repository);
}

/** A world with three repositories that hold a little of everything, of which `org` was deleted. */
async function aWorldWithDeleted(hook?: Hook) {
  const world = aWorld(hook && { hook });
  for (const repository of [root, org, team]) {
    if (repository !== root) {
      await putRepository(world, repository, { restore: false, by: somebody });
      for (const name of ['approved', 'deprecated']) {
        await createLabel(world, { name, description: '', color: '' }, repository, somebody);
      }
    }
    for (const version of ['1.0.0', '1.1.0']) await publish(world, repository, version);
    await world.repositorySettings.put(repository, { maxVersions: 9 }, anAccessChange());
    await world.repositories.setCounts(repository, { versions: 2, sizeBytes: 3 });
    const upload = {
      id: 'x',
      created: '',
      by: somebody,
      force: false,
      mayReplace: false,
      copied: true,
    } as const;
    await world.uploads.put(repository, { ...upload, outcome: { state: 'waiting' } }, 0);
    const folder = repository === root ? '-' : `${repository}/-`;
    const object = { contentType: 'application/gzip' };
    await world.objects.put(`rejected/${folder}/bad.tgz`, new Uint8Array(1), object);
  }
  await deleteRepository(world, org, somebody);
  return world;
}

/** One pass. @returns what was found */
async function pass(world: World) {
  const findings: Finding[] = [];
  const found = (finding: Finding) => void findings.push(finding);
  const done = await reconcile({ ...world, found }, { until: Number.POSITIVE_INFINITY, now: true });
  return { done, findings };
}

/** All that is kept of a repository. */
async function kept(world: World, repository: Repository) {
  const folder = repository === root ? '/-/' : `/${repository}/-/`;
  const objects = [...world.objects.objects.keys()];
  return {
    objects: objects.filter((key) => key.slice(key.indexOf('/')).startsWith(folder)),
    items: world.versions.items().filter((item) => item.repository === repository),
    pointer: world.pointers.look(repository),
    settings: await world.repositorySettings.get(repository),
    counts: await world.repositories.counts(repository),
    upload: await world.uploads.get(repository, 'x'),
    isInTable: await world.repositories.has(repository),
    labels: world.labels.known().filter(({ project }) => project === repository),
    known: await world.knownRepositories.get(repository),
  };
}

const nothing = { objects: [], items: [], settings: {}, isInTable: false, labels: [] };

/** The event of a package of `org`, which comes when it likes. */
async function anEvent(world: World) {
  const key = [...world.objects.objects.keys()].find((each) => /^charts\/org\/-\/.*tgz$/.test(each)) ?? '';
  const body = JSON.stringify({ Records: [{ eventName: 'ObjectRemoved:Delete', s3: { object: { key } } }] });
  return { Records: [{ messageId: 'm', body }] } as never;
}

describe('a deleted repository', () => {
  it('is kept whole, and found healthy, while it can be brought back', async () => {
    const world = await aWorldWithDeleted();
    const before = await kept(world, org);
    world.clock.advance(7 * DAY - 1);
    const { done, findings } = await pass(world);
    expect(done).toBe(true);
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(['index_superseded']));
    const { items, pointer, settings, known } = await kept(world, org);
    expect({ items, pointer, settings, known }).toEqual({
      items: before.items,
      pointer: before.pointer,
      settings: before.settings,
      known: before.known,
    });
  });

  it('is let alone for an hour after that', async () => {
    const world = await aWorldWithDeleted();
    const before = await kept(world, org);
    for (const advance of [7 * DAY, HOUR - 1]) {
      world.clock.advance(advance);
      expect(await pass(world)).toMatchObject({ done: true });
      expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: true });
      expect(await kept(world, org)).toEqual(before);
    }
  });

  it('is removed then with all that was kept of it, and the others stay', async () => {
    const world = await aWorldWithDeleted();
    world.clock.advance(7 * DAY + HOUR);
    const others = async () => [await kept(world, root), await kept(world, team)];
    const before = await others();
    expect(await pass(world)).toMatchObject({ done: true });
    expect(await kept(world, org)).toEqual(nothing);
    const counted = { counts: { versions: 2, sizeBytes: expect.any(Number) } };
    const index = { objects: expect.any(Array) };
    expect(await others()).toEqual(before.map((each) => ({ ...each, ...counted, ...index })));
    expect(world.notices).toEqual([]);
  });

  it('is empty when it is made again', async () => {
    const world = await aWorldWithDeleted();
    const event = await anEvent(world);
    world.clock.advance(8 * DAY);
    await pass(world);
    // An event of the time before comes late.
    expect(await indexRepositories(world)(event)).toEqual({ batchItemFailures: [] });
    expect(await kept(world, org)).toEqual(nothing);
    await putRepository(world, org, { restore: false, by: somebody });
    expect(await currentIndex(world, org)).toBeUndefined();
    await publish(world, org, '2.0.0');
    expect(JSON.parse((await world.published(org)) ?? '').entries.demo).toHaveLength(1);
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true, findings: [] });
    expect(world.notices).toEqual([]);
  });

  it('is gone on with wherever a pass breaks off, and is no damage meanwhile', async () => {
    let calls = 0;
    let breakAt = Number.POSITIVE_INFINITY;
    const hook: Hook = async ({ phase }) => {
      if (phase === 'after') return;
      calls += 1;
      if (calls === breakAt) throw new Error('killed');
      // Nothing more is done by who was killed.
      if (calls > breakAt) throw new Error('dead');
    };
    const prepare = async () => {
      breakAt = Number.POSITIVE_INFINITY;
      const world = await aWorldWithDeleted(hook);
      world.clock.advance(8 * DAY);
      calls = 0;
      return world;
    };
    const isRemoved = async (world: World) => (await world.knownRepositories.get(org)) === undefined;
    let brokenOff = 0;
    for (let at = 1; ; at += 1) {
      const world = await prepare();
      const event = await anEvent(world);
      breakAt = at;
      await pass(world).catch(() => {});
      breakAt = Number.POSITIVE_INFINITY;
      if (await isRemoved(world)) break;
      brokenOff += 1;
      // Neither events nor looks stumble over what is half there.
      expect(await indexRepositories(world)(event)).toEqual({ batchItemFailures: [] });
      expect(await repair(world, { dryRun: true, repository: org })).toMatchObject({
        healthy: true,
        findings: [],
      });
      expect(await pass(world)).toMatchObject({ done: true });
      expect(await kept(world, org)).toEqual(nothing);
      expect(world.notices).toEqual([]);
    }
    // Each version, each kind of object, the items, the repository itself.
    expect(brokenOff).toBeGreaterThan(15);
  });

  it('does not keep the others from being reconciled where it cannot be removed', async () => {
    let isBroken = false;
    const world = await aWorldWithDeleted(async ({ operation, phase }) => {
      if (isBroken && operation === 'forgetSome' && phase === 'before') throw new Error('no table');
    });
    world.clock.advance(8 * DAY);
    isBroken = true;
    await expect(pass(world)).rejects.toThrow('no table');
    expect((await world.repositories.counts(team))?.sizeBytes).toBeGreaterThan(3);
    isBroken = false;
    await pass(world);
    expect(await kept(world, org)).toEqual(nothing);
  });

  it('takes as many calls as it takes', async () => {
    const world = await aWorldWithDeleted();
    world.clock.advance(8 * DAY);
    const call = (until: number) => reconcile({ ...world, found: () => {} }, { until });
    expect(await call(world.clock.now())).toBe(false);
    expect(await world.knownRepositories.get(org)).toBeDefined();
    expect(await call(Number.POSITIVE_INFINITY)).toBe(true);
    expect(await kept(world, org)).toEqual(nothing);
  });
});

describe('an event of a repository that cannot come back', () => {
  it('changes nothing: nobody may put anything into it while it is removed', async () => {
    const world = await aWorldWithDeleted();
    const key = 'inbox/org/-/late.tgz';
    await world.objects.put(key, await aPackage({ name: 'late' }), { contentType: 'application/gzip' });
    const body = JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key } } }] });
    world.clock.advance(7 * DAY);
    const before = await kept(world, org);
    const event = { Records: [{ messageId: 'm', body }] } as never;
    expect(await indexRepositories(world)(event)).toEqual({ batchItemFailures: [] });
    expect(await kept(world, org)).toEqual(before);
  });
});
