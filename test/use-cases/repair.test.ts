import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { deleteVersion } from '../../shared/delete.ts';
import { filesKey } from '../../shared/domain/object-keys.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { publishPackage } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import { repair } from '../../shared/repair.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { somebody } from '../store/records.ts';
import { aWorld, listed, root, versionId } from './world.ts';

type World = ReturnType<typeof aWorld>;

const demo = versionId('demo', '1.0.0');

async function publish(world: World, chart: Parameters<typeof aPackage>[0] = {}) {
  const bytes = await aPackage(chart);
  await publishPackage(world, { repository: root, package: bytes, overwrite: true, by: somebody });
  world.clock.advance(1_000);
  return bytes;
}

/** Three versions of two charts, one of them signed, one with build metadata, in a current index. */
async function aSettledWorld() {
  const world = aWorld();
  const bytes = await publish(world);
  const provenance = aProvenance(bytes);
  await publishProvenance(world, { repository: root, provenance, overwrite: false, by: somebody });
  await publish(world, { version: '1.1.0+build.7' });
  await currentIndex(world, root);
  await publish(world, { name: 'other', files: { 'values.yaml': 'a: 1\n' } });
  await currentIndex(world, root);
  return world;
}

const mended = (world: World) => repair(world, { dryRun: false });
const verified = (world: World) => repair(world, { dryRun: true });
const kindsOf = ({ findings }: Awaited<ReturnType<typeof mended>>) => [
  ...new Set(findings.map(({ kind }) => kind)),
];

/** The state of each version, without what a restored one need not have the same. */
const statesOf = (world: World) =>
  world.versions
    .items()
    .map(({ unindexed: _unindexed, ...item }) => item)
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));

/** The index without the instant of its rendering. */
const indexOf = async (world: World) => (await world.published())?.replace(/"generated":"[^"]*"/, '');

describe('verifying', () => {
  it('tells healthy, and changes nothing', async () => {
    const world = await aSettledWorld();
    expect(await verified(world)).toEqual({ repositories: 1, healthy: true, findings: [], more: 0 });
  });

  it('tells what is wrong, and changes nothing', async () => {
    const calls: string[] = [];
    const world = aWorld({
      hook: async ({ store, operation, phase }) => {
        if (phase === 'before') calls.push(`${store} ${operation}`);
      },
    });
    for (const description of ['first', 'second']) {
      await publish(world, { description });
      await currentIndex(world, root);
    }
    world.pointers.lose(root);
    await world.objects.remove([(await world.versions.get(demo))?.live?.key ?? '']);
    calls.length = 0;
    const report = await verified(world);
    expect(report.healthy).toBe(false);
    expect(kindsOf(report).sort()).toEqual(['package_lost', 'pointer_lost']);
    expect(new Set(calls.map((call) => call.split(' ')[1]))).toEqual(
      new Set(['all', 'folders', 'list', 'get', 'head', 'ofRepository', 'has']),
    );
  });
});

describe('repairing', () => {
  it('does nothing where nothing is wrong', async () => {
    const world = await aSettledWorld();
    const index = await indexOf(world);
    expect(await mended(world)).toMatchObject({ healthy: true, findings: [] });
    expect(await indexOf(world)).toBe(index);
  });

  it('brings back a lost table: versions, digests, instants, provenance, index', async () => {
    const world = await aSettledWorld();
    const [states, index] = [statesOf(world), await indexOf(world)];
    world.versions.loseAll();
    world.pointers.lose(root);
    expect((await verified(world)).findings).toContainEqual(
      expect.objectContaining({ kind: 'version_lost', name: 'demo', version: '1.1.0+build.7' }),
    );
    const report = await mended(world);
    expect(report.healthy).toBe(true);
    expect(kindsOf(report)).toEqual(['pointer_lost', 'version_lost']);
    expect(statesOf(world)).toEqual(states);
    expect(await indexOf(world)).toBe(index);
    expect(await verified(world)).toMatchObject({ healthy: true, findings: [] });
  });

  it('brings back what a table lost before somebody published again', async () => {
    const world = await aSettledWorld();
    const states = statesOf(world);
    world.versions.loseAll();
    world.pointers.lose(root);
    await publish(world, { name: 'new' });
    await currentIndex(world, root);
    expect(listed(await world.published())).toEqual(['new 1.0.0']);
    expect(world.notices.map(({ kind }) => kind)).toEqual(['pointer_lost', 'index_shrank']);
    const report = await mended(world);
    expect(kindsOf(report)).toEqual(expect.arrayContaining(['version_lost', 'index_shrank']));
    expect(report.healthy).toBe(true);
    expect(statesOf(world)).toEqual(expect.arrayContaining(states));
    expect(listed(await world.published())).toHaveLength(4);
    expect((await world.pointers.get(root))?.shrank).toEqual([]);
    expect(await verified(world)).toMatchObject({ healthy: true, findings: [] });
  });

  it('does not bring back what was deleted', async () => {
    const world = await aSettledWorld();
    const objects = { remove: async () => Promise.reject(new Error('broken off')) };
    await expect(deleteVersion({ ...world, objects }, demo, somebody)).rejects.toThrow('broken off');
    await currentIndex(world, root);
    world.versions.loseAll();
    world.pointers.lose(root);
    world.clock.advance(24 * 60 * 60 * 1000);
    const report = await mended(world);
    expect(listed(await world.published())).toEqual(['demo 1.1.0+build.7', 'other 1.0.0']);
    // Its package is told of instead, for somebody to decide.
    expect(report.findings).toContainEqual(
      expect.objectContaining({
        kind: 'object_unclaimed',
        key: expect.stringMatching(/^charts\/-\/demo\/1\.0\.0\/.*\.tgz$/),
        mended: false,
      }),
    );
  });

  it.each([{ versions: ['2.0.0', '2.1.0', '2.2.0'] }, { versions: ['2.0.0'] }])(
    'brings $versions back, which a table of yesterday lacks',
    async ({ versions }) => {
      const world = await aSettledWorld();
      const yesterday = await world.pointers.get(root);
      for (const version of versions) {
        await publish(world, { version });
        await currentIndex(world, root);
      }
      for (const version of versions) world.versions.lose(versionId('demo', version));
      world.pointers.lose(root);
      if (yesterday) await world.pointers.flip(root, undefined, yesterday);
      // However often reconciliation comes before the repair, it keeps what that needs.
      for (let day = 0; day < 3; day += 1) {
        world.clock.advance(24 * 60 * 60 * 1000);
        await reconcileRepository({ ...world, found: () => {} }, root, 'safe');
      }
      const report = await mended(world);
      expect(kindsOf(report)).toEqual(expect.arrayContaining(['version_lost', 'pointer_behind']));
      expect(report.healthy).toBe(true);
      expect(listed(await world.published())).toHaveLength(3 + versions.length);
      expect(await verified(world)).toMatchObject({ healthy: true });
    },
  );

  it('says which version cannot come back because its package is lost too', async () => {
    const world = await aSettledWorld();
    const key = (await world.versions.get(demo))?.live?.key ?? '';
    world.versions.lose(demo);
    await world.objects.remove([key]);
    const report = await mended(world);
    expect(report.healthy).toBe(false);
    expect(report.findings).toContainEqual(
      expect.objectContaining({ kind: 'version_lost', version: '1.0.0', package: 'missing', mended: false }),
    );
    expect(listed(await world.published())).toEqual(['demo 1.1.0+build.7', 'other 1.0.0']);
  });

  it('takes the package that was published at the listed instant, of two with the same bytes', async () => {
    const world = aWorld();
    await publish(world);
    await publish(world);
    await currentIndex(world, root);
    const states = statesOf(world);
    world.versions.loseAll();
    await mended(world);
    expect(statesOf(world)).toEqual(states);
  });

  it('does not restore from bytes that are not those of the digest', async () => {
    const world = await aSettledWorld();
    const key = (await world.versions.get(demo))?.live?.key ?? '';
    await world.objects.put(key, await aPackage({ description: 'another' }), { contentType: 'x' });
    world.versions.lose(demo);
    expect(await mended(world)).toMatchObject({ healthy: false });
    expect(await world.versions.get(demo)).toBeUndefined();
  });

  it('extracts the files of a restored version again', async () => {
    const world = await aSettledWorld();
    const files = filesKey((await world.versions.get(versionId('other', '1.0.0')))?.live?.key ?? '');
    world.versions.loseAll();
    const before = world.objects.objects.get(files)?.bytes;
    await world.objects.remove([files]);
    await mended(world);
    expect(world.objects.objects.get(files)?.bytes).toEqual(before);
  });

  it('looks at one repository where it is told which', async () => {
    const world = await aSettledWorld();
    const repository = parseRepository(['team']);
    await publishPackage(world, { repository, package: await aPackage(), overwrite: false, by: somebody });
    expect(await repair(world, { repository, dryRun: true })).toMatchObject({ repositories: 1 });
    expect(await repair(world, { dryRun: true })).toMatchObject({ repositories: 2 });
  });
});
