import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import { indexRepositories } from '../../functions/index-repositories.ts';
import { askForRebuild, currentIndex } from '../../shared/current-index.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { publishPackage } from '../../shared/publish.ts';
import { aPackage } from '../packages.ts';
import { somebody } from '../store/records.ts';
import { aWorld, listed, root, versionId } from './world.ts';

type Change = { readonly key: string; readonly eventName?: string };

/** The event of a queue: a message for each list of changes. */
function queueEvent(...messages: readonly (readonly Change[])[]): SQSEvent {
  const bodies = messages.map((changes) => ({
    Records: changes.map(({ key, eventName = 'ObjectCreated:Put' }) => ({
      eventName,
      eventTime: '2026-01-02T03:04:00.000Z',
      s3: { object: { key: encodeURIComponent(key).replaceAll('%20', '+') } },
    })),
  }));
  const attributes = { ApproximateReceiveCount: '1' };
  const records = bodies.map((body, n) => ({
    messageId: `message-${n}`,
    attributes,
    body: JSON.stringify(body),
  }));
  return { Records: records } as unknown as SQSEvent;
}

describe('an event of a package', () => {
  it('makes the index current', async () => {
    const world = aWorld();
    await publishPackage(world, {
      repository: root,
      package: await aPackage(),
      overwrite: false,
      by: somebody,
    });
    const key = (await world.versions.get(versionId('demo', '1.0.0')))?.live?.key ?? '';
    expect(await indexRepositories(world)(queueEvent([{ key }]))).toEqual({ batchItemFailures: [] });
    expect(listed(await world.published())).toEqual(['demo 1.0.0']);
  });

  it('makes the index current after a delete', async () => {
    const world = aWorld();
    const { key } = await world.publish('demo', '1.0.0+b');
    await currentIndex(world, root);
    await world.remove('demo', '1.0.0+b');
    await indexRepositories(world)(queueEvent([{ key, eventName: 'ObjectRemoved:Delete' }]));
    expect(listed(await world.published())).toEqual([]);
  });

  it('commits what a dead publisher left', async () => {
    const world = aWorld();
    const { key } = await world.reserve(versionId('demo', '1.0.0+b'));
    await world.objects.put(key, Buffer.from('package'), { contentType: 'application/x-tar' });
    await indexRepositories(world)(queueEvent([{ key }]));
    expect(listed(await world.published())).toEqual(['demo 1.0.0+b']);
  });

  it('commits nothing whose package is not there', async () => {
    const world = aWorld();
    const id = versionId('demo', '1.0.0');
    const { key } = await world.reserve(id);
    await indexRepositories(world)(queueEvent([{ key }]));
    expect((await world.versions.get(id))?.live).toBeUndefined();
  });

  it('commits nothing of a reservation that was taken over', async () => {
    const world = aWorld();
    const id = versionId('demo', '1.0.0');
    const { key } = await world.reserve(id, 'first');
    await world.objects.put(key, Buffer.from('package'), { contentType: 'application/x-tar' });
    world.clock.advance(60_001);
    await world.reserve(id, 'second');
    await indexRepositories(world)(queueEvent([{ key }]));
    expect((await world.versions.get(id))?.live).toBeUndefined();
  });

  it('may come twice and late: a deleted version does not come back', async () => {
    const world = aWorld();
    const { key } = await world.publish('demo', '1.0.0');
    await world.remove('demo', '1.0.0');
    await indexRepositories(world)(queueEvent([{ key }], [{ key }]));
    await indexRepositories(world)(queueEvent([{ key }]));
    expect(listed(await world.published())).toEqual([]);
  });
});

it('two indexers and a reader at once refresh once', async () => {
  const world = aWorld();
  const keys = [];
  for (let n = 0; n < 20; n += 1) keys.push(await world.publish('demo', `1.0.${n}`));
  const [one, two] = [queueEvent(keys.slice(0, 10)), queueEvent(keys.slice(10))];
  await Promise.all([
    indexRepositories(world)(one),
    indexRepositories(world)(two),
    currentIndex(world, root),
  ]);
  expect(await world.pointers.get(root)).toMatchObject({ sequence: 1, versions: 20 });
});

describe('a batch of messages', () => {
  it('reports only those whose repository failed', async () => {
    const world = aWorld();
    const good = parseRepository(['good']);
    const bad = parseRepository(['bad']);
    const first = await world.publish('a', '1.0.0', '', good);
    const second = await world.publish('b', '1.0.0', '', bad);
    const objects = {
      ...world.objects,
      put: async (...put: Parameters<typeof world.objects.put>) => {
        if (put[0].startsWith('index/bad/')) throw new Error('the disk is full');
        await world.objects.put(...put);
      },
    };
    const answer = await indexRepositories({ ...world, objects })(queueEvent([first], [second]));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'message-1' }] });
    expect(listed(await world.published(good))).toEqual(['a 1.0.0']);
  });

  it('reports what it cannot read, and does the rest', async () => {
    const world = aWorld();
    const { key } = await world.publish('a', '1.0.0');
    const { Records: records } = queueEvent([{ key }]);
    const poison = { messageId: 'poison', body: 'not JSON' };
    const answer = await indexRepositories(world)({ Records: [poison, ...records] } as SQSEvent);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'poison' }] });
    expect(listed(await world.published())).toEqual(['a 1.0.0']);
  });

  it('passes over the test event of S3 and keys that are not Chartroom’s', async () => {
    const event = queueEvent([{ key: 'charts/stray.txt' }, { key: 'charts/a b/-/x/y' }]);
    const test = { messageId: 'test', body: JSON.stringify({ Event: 's3:TestEvent' }) };
    const answer = await indexRepositories(aWorld())({ Records: [...event.Records, test] } as SQSEvent);
    expect(answer).toEqual({ batchItemFailures: [] });
  });
});

describe('a request for a rebuild', () => {
  it('builds the index from all versions, however many, and is then gone', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    const pointer = await currentIndex(world, root);
    await world.objects.remove([`${pointer?.folder}index.yaml`]);
    await askForRebuild(world, root);
    await indexRepositories(world)(queueEvent([{ key: 'inbox/-/rebuild' }]));
    expect(listed(await world.published())).toEqual(['a 1.0.0']);
    expect((await world.pointers.get(root))?.sequence).toBe(2);
    expect(world.objects.objects.has('inbox/-/rebuild')).toBe(false);
  });

  it('is followed once, however often it was made', async () => {
    const world = aWorld();
    await world.publish('a', '1.0.0');
    await askForRebuild(world, root);
    const request = { key: 'inbox/-/rebuild' };
    await indexRepositories(world)(queueEvent([request], [request]));
    await indexRepositories(world)(queueEvent([request]));
    expect((await world.pointers.get(root))?.sequence).toBe(1);
  });
});
