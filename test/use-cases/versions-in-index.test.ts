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
