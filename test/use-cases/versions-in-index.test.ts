import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askForRebuild, currentIndex } from '../../shared/current-index.ts';
import { deleteVersion } from '../../shared/delete.ts';
import { GRACE_MS } from '../../shared/domain/leftovers.ts';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import type { AllRepositorySettings } from '../../shared/domain/settings.ts';
import type { Finding } from '../../shared/findings.ts';
import { byRepository, handleObjectEvents } from '../../shared/handle-object-events.ts';
import { publishPackage } from '../../shared/publish.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import { putSettings } from '../../shared/repository-settings.ts';
import { askForAsManyAsSet } from '../../shared/versions-in-index.ts';
import { aPackage } from '../packages.ts';
import { somebody } from '../store/records.ts';
import { aWorld, listed, root, versionId } from './world.ts';

type World = ReturnType<typeof aWorld>;

async function publish(world: World, version: string, name = 'demo') {
  const bytes = await aPackage({ name, version });
  await publishPackage(world, { repository: root, package: bytes, overwrite: true, by: somebody });
  world.clock.advance(1_000);
}

/** What put-settings does. */
async function set(world: World, settings: Partial<AllRepositorySettings>) {
  const before = await world.settingsOf(root);
  await putSettings({ ...world, settings: world.repositorySettings }, root, settings, somebody);
  await askForAsManyAsSet(world, root, before);
}

const isAsked = ({ objects }: World) => objects.objects.has(rebuildRequestKey(root));

/** A run of the indexer for an object of the inbox, or of a package. */
const index = (world: World, key = rebuildRequestKey(root)) =>
  handleObjectEvents(world, root, byRepository([{ key, kind: 'created' }]).get(root) ?? []);

const aPackageKey = 'charts/-/zzz/1.0.0/x.tgz.prov';

async function reconciled(world: World): Promise<readonly Finding[]> {
  world.clock.advance(2 * GRACE_MS);
  const findings: Finding[] = [];
  await reconcileRepository({ ...world, found: (finding) => findings.push(finding) }, root, 'safe');
  return findings.filter(({ kind }) => kind !== 'index_superseded');
}

/** Five versions of a chart, two of which the index lists. */
async function withFive(): Promise<World> {
  const world = aWorld({ deployment: { indexVersionsPerChart: 2 } });
  for (const version of ['1.0.0', '5.0.0', '3.0.0', '4.0.0', '2.0.0']) await publish(world, version);
  await currentIndex(world, root);
  return world;
}

const published = async (world: World) => listed(await world.published());

describe('an index of the newest versions of each chart', () => {
  it('lists those, and counts all', async () => {
    const world = await withFive();
    await publish(world, '1.0.0', 'other');
    expect(await currentIndex(world, root)).toMatchObject({ versions: 6, perChart: 2 });
    expect(await published(world)).toEqual(['demo 5.0.0', 'demo 4.0.0', 'other 1.0.0']);
  });

  it('lists the next one where one of them is deleted', async () => {
    const world = await withFive();
    await deleteVersion(world, versionId('demo', '5.0.0'), somebody);
    await currentIndex(world, root);
    expect(await published(world)).toEqual(['demo 4.0.0', 'demo 3.0.0']);
    expect(world.notices).toEqual([]);
  });

  it('is found in order, however often it is looked at', async () => {
    const world = await withFive();
    for (let day = 0; day < 3; day += 1) expect(await reconciled(world)).toEqual([]);
    expect(await published(world)).toEqual(['demo 5.0.0', 'demo 4.0.0']);
  });

  it('is refreshed as it was made, without a look at the settings', async () => {
    const world = await withFive();
    await putSettings(
      { ...world, settings: world.repositorySettings },
      root,
      { indexVersionsPerChart: 0 },
      somebody,
    );
    await publish(world, '6.0.0');
    const unasked = { ...world, settingsOf: () => Promise.reject(new Error('nobody is to ask')) };
    expect(await currentIndex(unasked, root)).toMatchObject({ versions: 6, perChart: 2 });
    expect(await published(world)).toEqual(['demo 6.0.0', 'demo 5.0.0']);
  });
});

describe('another number of versions', () => {
  it('is asked for, and readers get the index before until it is there', async () => {
    const world = await withFive();
    await set(world, { indexVersionsPerChart: 3 });
    expect(isAsked(world)).toBe(true);
    await currentIndex(world, root);
    expect(await published(world)).toEqual(['demo 5.0.0', 'demo 4.0.0']);
    await index(world);
    expect(isAsked(world)).toBe(false);
    expect(await published(world)).toEqual(['demo 5.0.0', 'demo 4.0.0', 'demo 3.0.0']);
    await set(world, { indexVersionsPerChart: 0 });
    await index(world);
    expect(await published(world)).toHaveLength(5);
    expect(await world.pointers.get(root)).not.toHaveProperty('perChart');
    expect(world.notices).toEqual([]);
  });

  it.each([{ maxVersions: 9 }, { indexVersionsPerChart: 2 }])('is not asked for by %o', async (settings) => {
    const world = await withFive();
    await set(world, settings);
    expect(isAsked(world)).toBe(false);
  });

  it('is asked for again where the answer to the first question was lost', async () => {
    const world = await withFive();
    const objects = { ...world.objects, put: () => Promise.reject(new Error('no connection')) };
    await expect(set({ ...world, objects }, { indexVersionsPerChart: 3 })).rejects.toThrow('no connection');
    await set(world, { indexVersionsPerChart: 3 });
    expect(isAsked(world)).toBe(true);
  });

  it('is asked for where it is that of the index, which another is on its way into', async () => {
    const world = await withFive();
    await set(world, { indexVersionsPerChart: 3 });
    await world.objects.remove([rebuildRequestKey(root)]);
    await set(world, { indexVersionsPerChart: 2 });
    expect(isAsked(world)).toBe(true);
  });

  it.each([
    { who: 'the next run of the indexer', run: (world: World) => index(world, aPackageKey) },
    { who: 'the daily pass', run: reconciled },
  ])('is found by $who where nobody asked', async ({ run }) => {
    const world = await withFive();
    await set(world, { indexVersionsPerChart: 1 });
    await world.objects.remove([rebuildRequestKey(root)]);
    await run(world);
    expect(await published(world)).toEqual(['demo 5.0.0']);
    expect(world.notices).toEqual([]);
  });
});

/** Publishes and reads while all versions are read, each time that they are. */
function withRivals(world: World, then: () => Promise<unknown> = async () => {}) {
  const readers: string[] = [];
  let scans = 0;
  const ofRepository: World['versions']['ofRepository'] = async function* (repository) {
    for await (const item of world.versions.ofRepository(repository)) yield item;
    scans += 1;
    await publish(world, `9.0.${scans}`);
    readers.push(
      await currentIndex(world, root).then(
        () => 'served',
        (error) => error.code,
      ),
    );
    await then();
  };
  return { ...world, versions: { ...world.versions, ofRepository }, readers };
}

const indexFolders = ({ objects }: World) => [...objects.objects.keys()].filter((key) => /^index/.test(key));

/** An index that nobody reads any more lies beside the current one. */
async function withSuperseded(): Promise<World> {
  const world = await withFive();
  await publish(world, '6.0.0');
  await currentIndex(world, root);
  world.clock.advance(GRACE_MS);
  return world;
}

describe('another number of versions, while others publish and read', () => {
  it.each([{ asked: true }, { asked: false }])('gets into the index by one batch (%o)', async ({ asked }) => {
    const world = await withSuperseded();
    const [superseded] = indexFolders(world);
    await set(world, { indexVersionsPerChart: 3 });
    if (!asked) await world.objects.remove([rebuildRequestKey(root)]);
    const busy = withRivals(world);
    await index(busy);
    // The first rebuild was for nothing; for the second one readers wait.
    expect(busy.readers).toEqual(['served', 'try_again']);
    expect(await world.pointers.get(root)).toMatchObject({ perChart: 3 });
    expect(indexFolders(world)).not.toContain(superseded);
    expect(isAsked(world)).toBe(false);
    expect(world.notices).toEqual([]);
    await currentIndex(world, root);
    expect(await published(world)).toEqual(['demo 9.0.2', 'demo 9.0.1', 'demo 6.0.0']);
  });

  it('gets into the index by the daily pass', async () => {
    const world = await withFive();
    await set(world, { indexVersionsPerChart: 3 });
    const busy = withRivals(world);
    await reconcileRepository({ ...busy, found: () => {} }, root, 'safe');
    expect(await world.pointers.get(root)).toMatchObject({ perChart: 3 });
    expect(world.notices).toEqual([]);
  });

  it('is made by one of two runs of the indexer at once', async () => {
    const world = await withFive();
    await set(world, { indexVersionsPerChart: 3 });
    await world.objects.remove([rebuildRequestKey(root)]);
    let scans = 0;
    const ofRepository: World['versions']['ofRepository'] = (repository) => {
      scans += 1;
      return world.versions.ofRepository(repository);
    };
    const counted = { ...world, versions: { ...world.versions, ofRepository } };
    await Promise.all([index(counted, aPackageKey), index(counted, aPackageKey)]);
    expect(scans).toBe(1);
    expect(await published(world)).toEqual(['demo 5.0.0', 'demo 4.0.0', 'demo 3.0.0']);
  });

  it('is made by who is at it, where it is set once more meanwhile', async () => {
    const world = await withFive();
    await set(world, { indexVersionsPerChart: 3 });
    let isSet = false;
    const ofRepository: World['versions']['ofRepository'] = async function* (repository) {
      for await (const item of world.versions.ofRepository(repository)) yield item;
      if (isSet) return;
      isSet = true;
      await set(world, { indexVersionsPerChart: 4 });
      // The message of who left it to another comes again.
      await expect(index(world)).rejects.toThrow('was not rebuilt');
    };
    await index({ ...world, versions: { ...world.versions, ofRepository } });
    expect(await published(world)).toHaveLength(4);
    expect(isAsked(world)).toBe(false);
    await index(world);
  });

  it.each(['refresh', 'rebuild'] as const)(
    'waits for a later run while another has the lease to %s',
    async (lease) => {
      const world = await withSuperseded();
      const [superseded] = indexFolders(world);
      await set(world, { indexVersionsPerChart: 3 });
      await world.objects.remove([rebuildRequestKey(root)]);
      const hold = () =>
        world.pointers.lease(root, 'another', { now: 0, expires: Number.MAX_SAFE_INTEGER }, lease);
      if (lease === 'rebuild') await hold();
      await index(withRivals(world, hold));
      expect(world.notices).toEqual([{ kind: 'rebuild_put_off', repository: root }]);
      expect(await world.pointers.get(root)).toMatchObject({ perChart: 2 });
      expect(indexFolders(world)).not.toContain(superseded);
    },
  );
});

describe('a version that was lost, and that the index does not list', () => {
  const packages = ({ objects }: World, version: string) =>
    [...objects.objects.keys()].filter((key) => key.startsWith(`charts/-/demo/${version}/`));

  it.each([
    { who: 'a publish to its chart', run: (world: World) => publish(world, '6.0.0') },
    {
      who: 'a rebuild',
      run: (world: World) => set(world, { indexVersionsPerChart: 1 }).then(() => index(world)),
    },
    { who: 'the daily pass', run: reconciled },
  ])('is told of by number, and its package kept: by $who', async ({ run }) => {
    const world = await withFive();
    world.versions.lose(versionId('demo', '1.0.0'));
    await run(world);
    await currentIndex(world, root);
    expect(world.notices).toMatchObject([{ kind: 'index_shrank', versions: 1 }]);
    for (let day = 0; day < 3; day += 1) {
      const [key] = packages(world, '1.0.0');
      expect(await reconciled(world)).toContainEqual({ kind: 'object_unclaimed', repository: root, key });
    }
    expect(packages(world, '1.0.0')).toHaveLength(1);
  });

  it('is noticed with the pointer gone too', async () => {
    const world = await withFive();
    world.versions.lose(versionId('demo', '1.0.0'));
    world.pointers.lose(root);
    await currentIndex(world, root);
    expect(world.notices).toContainEqual(expect.objectContaining({ kind: 'index_shrank', versions: 1 }));
  });

  it.each(['index.yaml', 'ranges.json'])('is noticed with %s gone too', async (file) => {
    const world = await withFive();
    const pointer = await world.pointers.get(root);
    world.versions.lose(versionId('demo', '1.0.0'));
    await world.objects.remove([`${pointer?.folder}${file}`]);
    await askForRebuild(world, root);
    await index(world);
    expect(world.notices).toMatchObject([{ kind: 'index_shrank', versions: 1 }]);
  });

  it('is noticed in a table that was set back to before it, which the newest index counts', async () => {
    const world = await withFive();
    const earlier = await world.pointers.get(root);
    await publish(world, '0.9.0');
    await currentIndex(world, root);
    world.versions.lose(versionId('demo', '0.9.0'));
    world.pointers.lose(root);
    if (earlier !== undefined) await world.pointers.flip(root, undefined, earlier);
    const findings = await reconciled(world);
    expect(findings).toContainEqual(expect.objectContaining({ kind: 'pointer_behind' }));
    expect(packages(world, '0.9.0')).toHaveLength(1);
    await publish(world, '6.0.0');
    await currentIndex(world, root);
    expect(world.notices).toMatchObject([{ kind: 'index_shrank', versions: 1 }]);
    await reconciled(world);
    expect(packages(world, '0.9.0')).toHaveLength(1);
  });

  it('is told by name where the index lists it', async () => {
    const world = await withFive();
    world.versions.lose(versionId('demo', '5.0.0'));
    const findings = await reconciled(world);
    expect(findings.filter(({ kind }) => kind === 'version_lost')).toMatchObject([{ version: '5.0.0' }]);
  });
});

describe('any history of publishes, deletes and settings', () => {
  const version = fc.constantFrom('1.0.0', '1.1.0', '2.0.0', '3.0.0-rc.1', '3.0.0');
  const name = fc.constantFrom('a', 'b');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('publish' as const), name, version }),
    fc.record({ kind: fc.constant('remove' as const), name, version }),
    fc.record({ kind: fc.constant('set' as const), number: fc.nat(3) }),
    fc.record({ kind: fc.constantFrom('read' as const, 'index' as const, 'reconcile' as const) }),
  );

  it('leaves an index as a rebuild makes it, and nothing that looks lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = aWorld();
        const findings: Finding[] = [];
        for (const each of steps) {
          if (each.kind === 'publish') await publish(world, each.version, each.name);
          else if (each.kind === 'remove') {
            const id = versionId(each.name, each.version);
            if ((await world.versions.get(id))?.live) await deleteVersion(world, id, somebody);
          } else if (each.kind === 'set') await set(world, { indexVersionsPerChart: each.number });
          else if (each.kind === 'read') await currentIndex(world, root);
          else if (each.kind === 'index') await index(world);
          else findings.push(...(await reconciled(world)));
        }
        await index(world, aPackageKey);
        const { indexVersionsPerChart } = await world.settingsOf(root);
        const pointer = await world.pointers.get(root);
        expect(pointer?.perChart ?? 0).toBe(pointer === undefined ? 0 : indexVersionsPerChart);
        const text = await world.published();
        const { generated = '' } = JSON.parse(text ?? '{}');
        if (text !== undefined) expect(text).toBe(world.rebuilt(root, generated, indexVersionsPerChart));
        // Overwriting leaves packages behind.
        expect(findings.filter(({ kind }) => !kind.startsWith('object_'))).toEqual([]);
        expect(world.notices).toEqual([]);
      }),
    );
  });
});
