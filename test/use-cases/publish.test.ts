import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { deleteVersion } from '../../shared/delete.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { filesKey } from '../../shared/domain/object-keys.ts';
import { publishPackage } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { takeUpload } from '../../shared/upload.ts';
import { aPackage, aProvenance } from '../packages.ts';
import type { Call } from '../store/hook.ts';
import { somebody } from '../store/records.ts';
import { aWorld, root, versionId } from './world.ts';

const demo = versionId('demo', '1.0.0');
const upload = (bytes: Uint8Array, more: { overwrite?: boolean; provenance?: Uint8Array } = {}) => ({
  repository: root,
  package: bytes,
  overwrite: false,
  by: somebody,
  ...more,
});

describe('publishing a package', () => {
  it('reads the settings, writes its item twice and puts two objects', async () => {
    const calls: string[] = [];
    const hook = async ({ store, operation, phase }: Call) => {
      if (phase === 'before') calls.push(`${store}.${operation}`);
    };
    const world = aWorld({ hook });
    const admission = await world.admission(root, somebody);
    const asked = { repository: root, admission, force: false, mayReplace: false, by: somebody };
    await takeUpload(world, { ...asked, chart: await aPackage() });
    expect(calls).toEqual([
      'settings.get',
      'versions.reserve',
      'objects.put',
      'objects.put',
      'versions.commit',
    ]);
  });

  it('makes the version live and marks it, with its bytes, its files and its metadata in the bucket', async () => {
    const world = aWorld();
    const bytes = await aPackage({ files: { 'values.yaml': 'a: 1\n' } });
    expect(await publishPackage(world, upload(bytes))).toEqual(demo);
    const item = await world.versions.get(demo);
    expect(item).toMatchObject({
      live: { digest: digestOf(bytes), sizeBytes: bytes.length },
      removed: false,
    });
    expect(item?.unindexed).toBeDefined();
    expect(item?.pending).toBeUndefined();
    const key = item?.live?.key ?? '';
    expect(world.objects.objects.get(key)).toMatchObject({
      bytes: new Uint8Array(bytes),
      contentType: 'application/x-tar',
      metadata: {
        repository: '',
        name: 'demo',
        version: '1.0.0',
        created: '2026-01-02T03:04:05.678Z',
        reservation: 'id1',
      },
    });
    const files = JSON.parse(gunzipSync(world.objects.objects.get(filesKey(key))?.bytes ?? '').toString());
    expect(files.values.parsed).toEqual({ a: 1 });
  });

  it('is acknowledged, though the version was committed by another and is deleted again by then', async () => {
    const world = aWorld();
    const versions = {
      ...world.versions,
      commit: async (...commit: Parameters<typeof world.versions.commit>) => {
        await world.versions.commit(...commit);
        await deleteVersion(world, demo, somebody);
        return await world.versions.commit(...commit);
      },
    };
    expect(await publishPackage({ ...world, versions }, upload(await aPackage()))).toEqual(demo);
  });

  it('puts the package last, so that whoever finds it may commit', async () => {
    const puts: string[] = [];
    const world = aWorld();
    const bytes = await aPackage();
    const objects = {
      ...world.objects,
      put: (...put: Parameters<typeof world.objects.put>) => {
        puts.push(put[0].replace(/.*\./, '.'));
        return world.objects.put(...put);
      },
    };
    await publishPackage({ ...world, objects }, upload(bytes, { provenance: aProvenance(bytes) }));
    expect(puts).toEqual(['.gz', '.prov', '.tgz']);
  });

  it.each([
    { which: 'the same bytes', description: 'first', message: /already exists, with the same bytes/ },
    { which: 'other bytes', description: 'second', message: /already exists with other bytes.*\?force/ },
  ])(
    'refuses a version that is there, with $which, and keeps the first',
    async ({ description, message }) => {
      const world = aWorld();
      const first = await aPackage({ description: 'first' });
      await publishPackage(world, upload(first));
      const objects = world.objects.objects.size;
      const again = publishPackage(world, upload(await aPackage({ description })));
      await expect(again).rejects.toMatchObject({
        code: 'version_exists',
        message: expect.stringMatching(message),
      });
      expect((await world.versions.get(demo))?.live?.digest).toBe(digestOf(first));
      expect(world.objects.objects.size).toBe(objects);
    },
  );

  it('replaces a version where that is allowed, under a new key and with a new instant', async () => {
    const world = aWorld();
    await publishPackage(world, upload(await aPackage({ description: 'first' })));
    const before = await world.versions.get(demo);
    world.clock.advance(1_000);
    const second = await aPackage({ description: 'second' });
    await publishPackage(world, upload(second, { overwrite: true }));
    const after = await world.versions.get(demo);
    expect(after?.live).toMatchObject({ digest: digestOf(second), created: '2026-01-02T03:04:06.678Z' });
    expect(after?.live?.key).not.toBe(before?.live?.key);
    // A download of the first may be under way.
    expect(world.objects.objects.has(before?.live?.key ?? '')).toBe(true);
  });

  it('never uses a key twice, even for the same bytes deleted and published again', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    await publishPackage(world, upload(bytes));
    const first = (await world.versions.get(demo))?.live?.key;
    await world.remove('demo', '1.0.0');
    await publishPackage(world, upload(bytes));
    expect((await world.versions.get(demo))?.live?.key).not.toBe(first);
  });

  it('lets exactly one of many parallel uploads of a version win', async () => {
    const world = aWorld();
    const packages = await Promise.all(
      Array.from({ length: 20 }, (_, n) => aPackage({ description: `number ${n}` })),
    );
    const results = await Promise.allSettled(packages.map((bytes) => publishPackage(world, upload(bytes))));
    const won = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [packages[n]] : []));
    expect(won).toHaveLength(1);
    expect((await world.versions.get(demo))?.live?.digest).toBe(digestOf(won[0] ?? new Uint8Array()));
  });

  it('finishes the work of a publisher of the same bytes that died, and says that the version exists', async () => {
    let dies = true;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation === 'put' && phase === 'before' && dies) throw new Error('died');
      },
    });
    const bytes = await aPackage();
    await expect(publishPackage(world, upload(bytes))).rejects.toThrow('died');
    dies = false;
    await expect(publishPackage(world, upload(bytes))).rejects.toMatchObject({ code: 'version_exists' });
    const live = (await world.versions.get(demo))?.live;
    expect(live?.digest).toBe(digestOf(bytes));
    expect(world.objects.objects.has(live?.key ?? '')).toBe(true);
  });

  it('waits for an upload of other bytes, then tells that it is under way', async () => {
    const world = aWorld();
    await world.reserve(demo, 'another');
    const started = world.clock.now();
    await expect(publishPackage(world, upload(await aPackage()))).rejects.toMatchObject({
      code: 'being_published',
      retryAfterSeconds: 5,
    });
    expect(world.clock.now() - started).toBeGreaterThanOrEqual(5_000);
  });

  it('takes a version over whose reservation has expired', async () => {
    const world = aWorld();
    await world.reserve(demo, 'another');
    world.clock.advance(60_001);
    const bytes = await aPackage();
    await publishPackage(world, upload(bytes));
    expect((await world.versions.get(demo))?.live?.digest).toBe(digestOf(bytes));
  });

  it('does not claim success when its reservation was taken over', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    const objects = {
      ...world.objects,
      put: async () => {
        world.clock.advance(60_001);
        const other = await world.reserve(demo, 'another');
        await world.versions.commit(demo, other);
      },
    };
    await expect(publishPackage({ ...world, objects }, upload(bytes))).rejects.toMatchObject({
      code: 'try_again',
    });
  });

  it('succeeds when somebody else committed its reservation', async () => {
    const world = aWorld();
    const versions = {
      ...world.versions,
      commit: async (...commit: Parameters<typeof world.versions.commit>) => {
        await world.versions.commit(...commit);
        return await world.versions.commit(...commit);
      },
    };
    expect(await publishPackage({ ...world, versions }, upload(await aPackage()))).toEqual(demo);
  });
});

describe('publishing a package with its provenance file', () => {
  it('makes both visible at once', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    await publishPackage(world, upload(bytes, { provenance: aProvenance(bytes) }));
    const item = await world.versions.get(demo);
    expect(item?.provenance).toMatchObject({ package: digestOf(bytes) });
    expect(world.objects.objects.has(item?.provenance?.key ?? '')).toBe(true);
  });

  it.each([
    {
      why: 'another version',
      of: { version: '2.0.0' },
      message: /is for demo-2\.0\.0\.tgz, the package is demo-1/,
    },
    { why: 'other bytes', of: { description: 'other' }, message: /states digest/ },
  ])('refuses one that is for $why, and stores nothing', async ({ of, message }) => {
    const world = aWorld();
    const provenance = aProvenance(await aPackage(of), of);
    const refused = publishPackage(world, upload(await aPackage(), { provenance }));
    await expect(refused).rejects.toMatchObject({
      code: 'invalid_provenance',
      message: expect.stringMatching(message),
    });
    expect(world.versions.items()).toEqual([]);
    expect(world.objects.objects.size).toBe(0);
  });
});

describe('publishing a provenance file by itself', () => {
  const prov = (provenance: Uint8Array, overwrite = false) => ({
    repository: root,
    provenance,
    overwrite,
    by: somebody,
  });

  it('waits for its package and joins it', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    await publishProvenance(world, prov(aProvenance(bytes)));
    expect((await world.versions.get(demo))?.live).toBeUndefined();
    await publishPackage(world, upload(bytes));
    const item = await world.versions.get(demo);
    expect(item?.provenance?.package).toBe(item?.live?.digest);
  });

  it('is refused when other bytes are published, and stores nothing', async () => {
    const world = aWorld();
    await publishPackage(world, upload(await aPackage()));
    const objects = world.objects.objects.size;
    const refused = publishProvenance(world, prov(aProvenance(await aPackage({ description: 'other' }))));
    await expect(refused).rejects.toMatchObject({ code: 'invalid_provenance' });
    expect(world.objects.objects.size).toBe(objects);
  });

  it('is refused a second time, unless it may replace the first', async () => {
    const world = aWorld();
    const provenance = aProvenance(await aPackage());
    await publishProvenance(world, prov(provenance));
    const first = (await world.versions.get(demo))?.provenance?.key;
    await expect(publishProvenance(world, prov(provenance))).rejects.toMatchObject({
      code: 'provenance_exists',
    });
    await publishProvenance(world, prov(provenance, true));
    expect((await world.versions.get(demo))?.provenance?.key).not.toBe(first);
  });

  it('is not acknowledged when the write was refused and what stood in the way is gone again', async () => {
    const world = aWorld();
    let writes = 0;
    const versions = {
      ...world.versions,
      addProvenance: async (...add: Parameters<typeof world.versions.addProvenance>) => {
        writes += 1;
        return writes > 2 && (await world.versions.addProvenance(...add));
      },
    };
    await publishProvenance({ ...world, versions }, prov(aProvenance(await aPackage())));
    expect((await world.versions.get(demo))?.provenance).toBeDefined();
    const never = { ...world.versions, addProvenance: async () => false };
    const other = aProvenance(await aPackage({ version: '2.0.0' }), { version: '2.0.0' });
    const refused = publishProvenance({ ...world, versions: never }, prov(other));
    await expect(refused).rejects.toMatchObject({ code: 'try_again' });
  });

  it('keeps the object of a write whose answer was lost', async () => {
    const world = aWorld();
    const versions = {
      ...world.versions,
      addProvenance: async (...add: Parameters<typeof world.versions.addProvenance>) => {
        await world.versions.addProvenance(...add);
        return false;
      },
    };
    await publishProvenance({ ...world, versions }, prov(aProvenance(await aPackage())));
    const item = await world.versions.get(demo);
    expect(world.objects.objects.has(item?.provenance?.key ?? '')).toBe(true);
  });
});
