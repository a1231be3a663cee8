import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { indexRepositories } from '../../functions/index-repositories.ts';
import { currentIndex } from '../../shared/current-index.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { publishFromInbox } from '../../shared/inbox.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import { aWorld, listed, root, versionId } from './world.ts';

type World = ReturnType<typeof aWorld>;

const demo = versionId('demo', '1.0.0');

/** Puts an object into the inbox of the root repository, as an operator or a signed form does. */
async function deliver(
  world: World,
  bytes: Uint8Array,
  { key = 'inbox/-/demo.tgz', metadata = {} }: { key?: string; metadata?: Record<string, string> } = {},
): Promise<string> {
  await world.objects.put(key, bytes, { contentType: 'application/octet-stream', metadata });
  return key;
}

/** An upload that a client asked for. */
async function asked(world: World, id: string, force = false, mayReplace = true): Promise<void> {
  const created = new Date(world.clock.now()).toISOString();
  const upload = {
    id,
    created,
    by: somebody,
    force,
    mayReplace,
    copied: false,
    outcome: { state: 'waiting' },
  } as const;
  await world.uploads.put(root, upload, 0);
}

/** The event of the queue that tells of objects that were put. */
function eventOf(...put: readonly string[]): SQSEvent {
  const records = put.map((key) => ({
    messageId: key,
    body: JSON.stringify({ Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key } } }] }),
  }));
  return { Records: records } as unknown as SQSEvent;
}

const keys = (world: World, prefix: string) =>
  [...world.objects.objects.keys()].filter((key) => key.startsWith(prefix));

describe('a package in the inbox', () => {
  it('is published by its event, and the index lists it', async () => {
    const world = aWorld();
    const key = await deliver(world, await aPackage());
    expect(await indexRepositories(world)(eventOf(key))).toEqual({ batchItemFailures: [] });
    expect(listed(await world.published())).toEqual(['demo 1.0.0']);
    expect(keys(world, 'inbox/')).toEqual([]);
    expect((await world.uploads.get(root, 'demo'))?.outcome).toEqual({
      state: 'published',
      name: 'demo',
      version: '1.0.0',
    });
  });

  it('keeps the instant that an operator states', async () => {
    const world = aWorld();
    const metadata = { created: '2020-02-03T04:05:06+01:00' };
    await publishFromInbox(world, root, await deliver(world, await aPackage(), { metadata }));
    expect((await world.versions.get(demo))?.live?.created).toBe('2020-02-03T03:05:06.000Z');
  });

  it('is published once, though its event comes twice or never ends', async () => {
    const world = aWorld();
    const key = await deliver(world, await aPackage());
    await publishFromInbox(world, root, key);
    const live = (await world.versions.get(demo))?.live;
    await publishFromInbox(world, root, key);
    expect((await world.versions.get(demo))?.live).toEqual(live);
  });

  it.each(['put', 'commit', 'uploads.put', 'removeForGood'])(
    'is published by the next event when the function ends at %s',
    async (where) => {
      let armed = true;
      const world = aWorld({
        hook: async ({ store, operation, phase }) => {
          const at = where === `${store}.${operation}` || (where === operation && store !== 'uploads');
          if (!armed || phase !== 'before' || !at) return;
          armed = false;
          throw new Error('killed');
        },
      });
      armed = false;
      const key = await deliver(world, await aPackage());
      armed = true;
      await expect(publishFromInbox(world, root, key)).rejects.toThrow('killed');
      await publishFromInbox(world, root, key);
      expect((await world.versions.get(demo))?.live).toBeDefined();
      expect(keys(world, 'inbox/')).toEqual([]);
      expect(keys(world, 'rejected/')).toEqual([]);
      expect(keys(world, 'charts/')).toHaveLength(1);
    },
  );

  it.each([
    { when: 'the outcome was told', told: true, rejected: [] },
    { when: 'it was committed', told: false, rejected: ['rejected/-/demo.tgz'] },
  ])('does not come back when it was deleted after $when and before its event came again', async (each) => {
    const world = aWorld();
    const key = await deliver(world, await aPackage());
    const { put } = world.uploads;
    const { removeForGood } = world.objects;
    world.objects.removeForGood = async () => {
      throw new Error('killed');
    };
    world.uploads.put = async (repository, upload, forgetAt) => {
      if (upload.outcome.state === 'published' && !each.told) throw new Error('killed');
      await put(repository, upload, forgetAt);
    };
    await expect(publishFromInbox(world, root, key)).rejects.toThrow('killed');
    expect((await world.versions.get(demo))?.live).toBeDefined();
    await world.remove('demo', '1.0.0');
    Object.assign(world.objects, { removeForGood });
    Object.assign(world.uploads, { put });
    await publishFromInbox(world, root, key);
    expect((await world.versions.get(demo))?.live).toBeUndefined();
    expect((await world.versions.get(demo))?.pending).toBeUndefined();
    expect(keys(world, 'rejected/')).toEqual(each.rejected);
    expect(keys(world, 'inbox/')).toEqual([]);
  });

  it('is published once by two events at the same time', async () => {
    const world = aWorld();
    const key = await deliver(world, await aPackage());
    const { commit } = world.versions;
    let second: Promise<void> | undefined;
    world.versions.commit = async (id, pending) => {
      world.versions.commit = commit;
      second = publishFromInbox(world, root, key);
      await second;
      return await commit(id, pending);
    };
    await publishFromInbox(world, root, key);
    expect((await world.versions.get(demo))?.live).toBeDefined();
    expect((await world.uploads.get(root, 'demo'))?.outcome.state).toBe('published');
    expect(keys(world, 'rejected/')).toEqual([]);
    expect(keys(world, 'charts/')).toHaveLength(1);
  });

  it('is listed though another object of the inbox cannot be worked on', async () => {
    const world = aWorld();
    await world.reserve(versionId('busy', '1.0.0'));
    const stuck = await deliver(world, await aPackage({ name: 'busy' }), { key: 'inbox/-/busy.tgz' });
    const key = await deliver(world, await aPackage());
    const { batchItemFailures } = await indexRepositories(world)(eventOf(stuck, key));
    expect(batchItemFailures).not.toEqual([]);
    expect(listed(await world.published())).toEqual(['demo 1.0.0']);
    expect(keys(world, 'inbox/')).toEqual([stuck]);
  });

  it('is published after its event was lost, once reconciliation comes by', async () => {
    const world = aWorld();
    await deliver(world, await aPackage(), { key: 'inbox/org/-/demo.tgz' });
    const repository = parseRepository(['org']);
    const found = () => {};
    const reconciled = () => reconcile({ ...world, found }, { until: Number.POSITIVE_INFINITY, now: true });
    await reconciled();
    expect(keys(world, 'inbox/org/-/rebuild')).toEqual([]);
    world.clock.advance(2 * 60 * 60 * 1000);
    await reconciled();
    const key = 'inbox/org/-/rebuild';
    expect(keys(world, key)).toEqual([key]);
    await indexRepositories(world)(eventOf(key));
    expect(listed(await world.published(repository))).toEqual(['demo 1.0.0']);
    expect(keys(world, 'inbox/')).toEqual([]);
  });

  it('stays, and is tried again, while another publishes the version', async () => {
    const world = aWorld();
    await world.reserve(demo);
    const key = await deliver(world, await aPackage());
    await expect(publishFromInbox(world, root, key)).rejects.toMatchObject({ code: 'being_published' });
    expect(keys(world, 'inbox/')).toEqual([key]);
  });

  it('that was replaced while it was worked on is worked on too', async () => {
    const world = aWorld();
    const key = await deliver(world, await aPackage());
    const { commit } = world.versions;
    const second = await aPackage({ version: '2.0.0' });
    world.versions.commit = async (id, pending) => {
      await deliver(world, second, { key });
      return await commit(id, pending);
    };
    await publishFromInbox(world, root, key);
    world.versions.commit = commit;
    expect(keys(world, 'inbox/')).toEqual([key]);
    await publishFromInbox(world, root, key);
    expect((await world.versions.get(versionId('demo', '2.0.0')))?.live).toBeDefined();
  });

  it('tells why it was refused in as many words as a direct upload does', async () => {
    const world = aWorld();
    await publishFromInbox(
      world,
      root,
      await deliver(world, await aPackage({ version: 'x'.repeat(500_000) })),
    );
    const told = (await world.uploads.get(root, 'demo'))?.outcome;
    expect(told).toMatchObject({ state: 'rejected', code: 'invalid_version' });
    expect(JSON.stringify(told).length).toBeLessThan(2_000);
  });

  it('is rejected for nothing that passes by itself', async () => {
    const world = aWorld();
    const key = await deliver(world, await aPackage());
    const { claim } = world.uploads;
    world.uploads.claim = async (...args) => {
      await claim(...args);
      throw new Error('the answer was lost');
    };
    await expect(publishFromInbox(world, root, key)).rejects.toThrow('the answer was lost');
    world.uploads.claim = claim;
    await publishFromInbox(world, root, key);
    expect((await world.uploads.get(root, 'demo'))?.outcome.state).toBe('published');
    expect(keys(world, 'rejected/')).toEqual([]);
  });

  it('finds the room that a delete in the same batch has made', async () => {
    const world = aWorld({ deployment: { maxVersions: 2 } });
    await world.publish('demo', '0.1.0');
    await world.publish('demo', '0.2.0');
    await currentIndex(world, root);
    await world.remove('demo', '0.1.0');
    const settle = async () => void (await currentIndex(world, root));
    await publishFromInbox({ ...world, settle }, root, await deliver(world, await aPackage()));
    expect((await world.uploads.get(root, 'demo'))?.outcome.state).toBe('published');
  });

  it('twice at once, under two names, is published, and neither is told otherwise', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    const [a, b] = [await deliver(world, bytes), await deliver(world, bytes, { key: 'inbox/-/b.tgz' })];
    const { commit } = world.versions;
    world.versions.commit = async (id, pending) => {
      world.versions.commit = commit;
      await publishFromInbox(world, root, b);
      return await commit(id, pending);
    };
    await publishFromInbox(world, root, a);
    for (const id of ['demo', 'b']) {
      expect((await world.uploads.get(root, id))?.outcome.state, id).toBe('published');
    }
  });

  it('of a provenance file, copied again or after a break, is published', async () => {
    const world = aWorld();
    const prov = aProvenance(await aPackage());
    for (const key of ['inbox/-/demo.tgz.prov', 'inbox/-/again.prov']) {
      await publishFromInbox(world, root, await deliver(world, prov, { key }));
    }
    expect(keys(world, 'rejected/')).toEqual([]);
  });

  it('joins a provenance file that came before it', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    await publishFromInbox(
      world,
      root,
      await deliver(world, aProvenance(bytes), { key: 'inbox/-/demo.tgz.prov' }),
    );
    await publishFromInbox(world, root, await deliver(world, bytes));
    const item = await world.versions.get(demo);
    expect(item?.provenance?.package).toBe(item?.live?.digest);
  });
});

it.each([
  { key: 'inbox/demo.tgz', code: 'invalid_repository' },
  { key: 'inbox/charts/-/demo.tgz', code: 'invalid_repository' },
  { key: 'inbox/a/b/c/d/-/demo.tgz', code: 'invalid_repository' },
  { key: 'inbox/a/-/b/demo.tgz', code: 'invalid_package' },
  { key: 'inbox/-/x/-/demo.tgz', code: 'invalid_repository' },
  { key: 'inbox/-/index-cache.yaml', code: 'invalid_package' },
])('$key can be no upload, and is set aside', async ({ key, code }) => {
  const world = aWorld();
  await deliver(world, await aPackage(), { key });
  expect(await indexRepositories(world)(eventOf(key))).toEqual({ batchItemFailures: [] });
  expect([...world.objects.objects.keys()]).toEqual([key.replace('inbox', 'rejected')]);
  expect(world.objects.objects.get(key.replace('inbox', 'rejected'))?.metadata).toEqual({ code });
});

describe('an object of the inbox is rejected, with the reason, and never dropped:', () => {
  it.each<{
    why: string;
    bytes: () => Promise<Buffer>;
    key?: string;
    metadata?: Record<string, string>;
    code: string;
  }>([
    { why: 'no package', bytes: async () => Buffer.from('x'), code: 'invalid_package' },
    {
      why: 'no provenance file',
      bytes: async () => Buffer.from('x'),
      key: 'inbox/-/x.prov',
      code: 'invalid_provenance',
    },
    ...['yesterday', '9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00+01:00', '2024-02-30T00:00:00Z'].map(
      (created) => ({
        why: `the instant ${created}`,
        bytes: aPackage,
        metadata: { created },
        code: 'invalid_request',
      }),
    ),
  ])('$why', async ({ bytes, key = 'inbox/-/demo.tgz', metadata = {}, code }) => {
    const world = aWorld();
    const content = await bytes();
    await publishFromInbox(world, root, await deliver(world, content, { key, metadata }));
    const rejected = world.objects.objects.get(key.replace('inbox', 'rejected'));
    expect(Buffer.from(rejected?.bytes ?? '')).toEqual(content);
    expect(rejected?.metadata).toEqual({ code });
    const id = key.slice('inbox/-/'.length).replace(/\.tgz$/, '');
    expect((await world.uploads.get(root, id))?.outcome).toMatchObject({ state: 'rejected', code });
    expect(keys(world, 'inbox/')).toEqual([]);
    expect(world.versions.items()).toEqual([]);
  });

  it('a package above the limit, without reading it', async () => {
    const world = { ...aWorld(), maxPackageBytes: 100 };
    const key = await deliver(world, await aPackage());
    await publishFromInbox(world, root, key);
    expect((await world.uploads.get(root, 'demo'))?.outcome).toMatchObject({
      state: 'rejected',
      code: 'too_large',
    });
    expect(keys(world, 'rejected/')).toEqual(['rejected/-/demo.tgz']);
  });

  it.each([
    { force: false, state: 'rejected' },
    { force: true, state: 'published' },
  ])('a version that is there, asked for with force $force: $state', async ({ force, state }) => {
    const world = aWorld();
    await publishFromInbox(world, root, await deliver(world, await aPackage()));
    await asked(world, 'u1', force);
    const other = await aPackage({ description: 'other' });
    await publishFromInbox(world, root, await deliver(world, other, { key: 'inbox/-/u1.tgz' }));
    expect((await world.uploads.get(root, 'u1'))?.outcome.state).toBe(state);
  });

  it('a version that is there, asked for by who may not replace: rejected, and it stays', async () => {
    const world = aWorld();
    await publishFromInbox(world, root, await deliver(world, await aPackage()));
    const before = world.versions.items();
    await asked(world, 'u1', true, false);
    const other = await aPackage({ description: 'other' });
    await publishFromInbox(world, root, await deliver(world, other, { key: 'inbox/-/u1.tgz' }));
    expect((await world.uploads.get(root, 'u1'))?.outcome).toMatchObject({
      state: 'rejected',
      code: 'forbidden',
    });
    expect(world.versions.items()).toEqual(before);
  });

  it('a version that is there, asked for by who may not replace: published where publishers may by now', async () => {
    const world = aWorld();
    await publishFromInbox(world, root, await deliver(world, await aPackage()));
    await asked(world, 'u1', true, false);
    await world.repositorySettings.put(root, { publishersReplace: true }, anAccessChange());
    const other = await aPackage({ description: 'other' });
    await publishFromInbox(world, root, await deliver(world, other, { key: 'inbox/-/u1.tgz' }));
    expect((await world.uploads.get(root, 'u1'))?.outcome.state).toBe('published');
    expect((await world.versions.get(demo))?.live?.entry).toContain('other');
  });

  it('the same bytes again, where a client asks, and not where an operator copies them again', async () => {
    const world = aWorld();
    const bytes = await aPackage();
    await publishFromInbox(world, root, await deliver(world, bytes));
    await publishFromInbox(world, root, await deliver(world, bytes, { key: 'inbox/-/again.tgz' }));
    expect((await world.uploads.get(root, 'again'))?.outcome.state).toBe('published');
    await asked(world, 'u1');
    await publishFromInbox(world, root, await deliver(world, bytes, { key: 'inbox/-/u1.tgz' }));
    expect((await world.uploads.get(root, 'u1'))?.outcome).toMatchObject({
      state: 'rejected',
      code: 'version_exists',
    });
  });
});
