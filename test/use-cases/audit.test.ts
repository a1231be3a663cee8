import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { indexRepositories } from '../../functions/index-repositories.ts';
import { currentIndex } from '../../shared/current-index.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { publishPackage } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { somebody } from '../store/records.ts';
import { aWorld, root } from './world.ts';

type World = ReturnType<typeof aWorld>;

const eventOf = (key: string) =>
  ({
    Records: [
      {
        messageId: key,
        body: JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key } } }] }),
      },
    ],
  }) as unknown as SQSEvent;

async function publish(world: World, description = '') {
  const bytes = await aPackage({ description });
  await publishPackage(world, { repository: root, package: bytes, overwrite: true, by: somebody });
  return digestOf(bytes);
}

const told = (world: World) => world.audit.changes().map(({ id, at, ...change }) => change);

const demo = { repository: root, name: 'demo', version: '1.0.0' };

describe('the audit', () => {
  it('has every change between two refreshes, of which the index has the last', async () => {
    const world = aWorld();
    const first = await publish(world, 'first');
    const second = await publish(world, 'second');
    expect(told(world)).toEqual([]);
    await currentIndex(world, root);
    expect(told(world)).toEqual([
      { ...demo, by: somebody, action: 'published', digest: first },
      { ...demo, by: somebody, action: 'overwrote', digest: second, was: first },
    ]);
    expect(world.marks()).toEqual([]);
  });

  it('has a provenance file that waits for its package, though no index speaks of it', async () => {
    const world = aWorld();
    const provenance = aProvenance(await aPackage());
    await publishProvenance(world, { repository: root, provenance, overwrite: false, by: somebody });
    await currentIndex(world, root);
    expect(told(world)).toEqual([{ ...demo, by: somebody, action: 'signed', digest: digestOf(provenance) }]);
  });

  it('is told by a full rebuild too', async () => {
    const world = aWorld();
    await publish(world);
    await refreshIndex(world, root, { rebuild: true, rebuildAtMost: 10 });
    expect(told(world)).toHaveLength(1);
  });

  it('keeps the marks where it cannot be written: the index is current, and the next refresh tells', async () => {
    const world = aWorld();
    await publish(world);
    const audit = { put: async () => Promise.reject(new Error('throttled')) };
    const outcome = await refreshIndex({ ...world, audit }, root, { rebuildAtMost: 10 });
    expect(outcome.kind).toBe('refreshed');
    expect(await world.published()).toContain('demo');
    expect(world.marks()).toHaveLength(1);
    expect(world.notices).toMatchObject([{ kind: 'clean_up_failed' }]);
    await currentIndex(world, root);
    expect(told(world)).toHaveLength(1);
    expect(world.marks()).toEqual([]);
  });

  it('has a change once, though the refresh that told of it died before it cleared the mark', async () => {
    const world = aWorld();
    await publish(world);
    const versions = { ...world.versions, indexed: async () => Promise.reject(new Error('died')) };
    await refreshIndex({ ...world, versions }, root, { rebuildAtMost: 10 });
    await currentIndex(world, root);
    expect(told(world)).toHaveLength(1);
    expect(world.marks()).toEqual([]);
  });

  it('names the publisher whose work another has finished', async () => {
    const world = aWorld();
    const dying = { ...world.versions, commit: async () => Promise.reject(new Error('died')) };
    const bytes = await aPackage();
    const upload = { repository: root, package: bytes, overwrite: false };
    const late = { ...somebody, account: 'another' };
    await expect(
      publishPackage({ ...world, versions: dying }, { ...upload, by: somebody }),
    ).rejects.toThrow();
    await expect(publishPackage(world, { ...upload, by: late })).rejects.toMatchObject({
      code: 'version_exists',
    });
    await currentIndex(world, root);
    expect(told(world)).toMatchObject([{ by: somebody, action: 'published' }]);
  });

  it.each([
    { what: 'whoever asked for the upload', by: somebody },
    { what: 'the bucket, where it was copied', by: undefined },
  ])('names, for a package of the inbox, $what', async ({ by }) => {
    const world = aWorld();
    const key = 'inbox/-/u1.tgz';
    const created = new Date(world.clock.now()).toISOString();
    const waiting = { state: 'waiting' } as const;
    const upload = { id: 'u1', created, force: false, mayReplace: false, copied: false, outcome: waiting };
    if (by !== undefined) await world.uploads.put(root, { ...upload, by }, 0);
    await world.objects.put(key, await aPackage(), { contentType: 'application/octet-stream' });
    await indexRepositories(world)(eventOf(key));
    expect(told(world)).toMatchObject([
      { ...demo, by: by ?? { account: 'bucket', kind: 'bucket' }, action: 'published' },
    ]);
  });
});
