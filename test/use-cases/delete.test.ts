import { describe, expect, it } from 'vitest';
import { deleteChart, deleteVersion } from '../../shared/delete.ts';
import { parseChartName } from '../../shared/domain/chart-name.ts';
import { publishPackage } from '../../shared/publish.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { somebody } from '../store/records.ts';
import { aWorld, root, versionId } from './world.ts';

const demo = versionId('demo', '1.0.0');

async function publishDemo(world: ReturnType<typeof aWorld>, description = '') {
  const bytes = await aPackage({ description });
  const provenance = aProvenance(bytes);
  await publishPackage(world, {
    repository: root,
    package: bytes,
    provenance,
    overwrite: true,
    by: somebody,
  });
}

describe('deleting a version', () => {
  it('takes the package, its provenance and its files, and leaves a mark', async () => {
    const world = aWorld();
    await publishDemo(world);
    await deleteVersion(world, demo, somebody);
    expect(await world.versions.get(demo)).toMatchObject({ removed: true, unindexed: expect.any(String) });
    expect((await world.versions.get(demo))?.live).toBeUndefined();
    expect([...world.objects.objects.keys()]).toEqual([]);
  });

  it('refuses a version that is not there, and keeps the others', async () => {
    const world = aWorld();
    await publishDemo(world);
    await expect(deleteVersion(world, versionId('demo', '2.0.0'), somebody)).rejects.toMatchObject({
      code: 'version_not_found',
      message: 'chart demo has no version 2.0.0',
    });
    expect((await world.versions.get(demo))?.live).toBeDefined();
  });

  it('deletes what is there when the version is overwritten meanwhile', async () => {
    let overwrite: (() => Promise<void>) | undefined;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation !== 'remove' || phase !== 'before') return;
        const late = overwrite;
        overwrite = undefined;
        await late?.();
      },
    });
    await publishDemo(world, 'first');
    overwrite = () => publishDemo(world, 'second');
    await deleteVersion(world, demo, somebody);
    expect((await world.versions.get(demo))?.live).toBeUndefined();
  });

  it('succeeds when the answer to its own write was lost', async () => {
    const world = aWorld();
    await publishDemo(world);
    const versions = {
      ...world.versions,
      remove: async (...remove: Parameters<typeof world.versions.remove>) => {
        await world.versions.remove(...remove);
        return false;
      },
    };
    await deleteVersion({ ...world, versions }, demo, somebody);
    expect((await world.versions.get(demo))?.live).toBeUndefined();
  });
});

describe('deleting a chart', () => {
  it('deletes every version of it and none of another', async () => {
    const world = aWorld();
    for (const version of ['1.0.0', '1.1.0']) await world.publish('demo', version);
    await world.publish('demo-2', '1.0.0');
    await deleteChart(world, root, parseChartName('demo'), somebody);
    const live = world.versions.items().filter((item) => item.live !== undefined);
    expect(live.map(({ name }) => name)).toEqual(['demo-2']);
  });

  it('refuses a chart that is not there', async () => {
    const world = aWorld();
    await expect(deleteChart(world, root, parseChartName('demo'), somebody)).rejects.toMatchObject({
      code: 'chart_not_found',
      message: 'there is no chart demo',
    });
  });
});
