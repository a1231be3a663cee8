import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { versionsTable } from '../../shared/store/versions-table.ts';
import { aPackage } from '../packages.ts';
import { aWorld } from '../use-cases/world.ts';
import { listed, startChartroom } from './chartroom.ts';

it('a large index is put in parts by those who read it, with no more rights than their roles have', async () => {
  const chartroom = await startChartroom();
  const { region, credentials, endpoints } = chartroom.clientConfig;
  const versions = versionsTable(
    new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb }),
    chartroom.tableName,
  );
  const names = Array.from({ length: 60 }, (_, n) => `chart-${n + 10}`);
  const world = aWorld();
  for (const name of names) {
    await world.publish(name, '1.0.0', 'x'.repeat(300_000));
    const [item] = world.versions.items().filter((each) => each.name === name);
    if (item?.live === undefined) throw new Error(`${name} was not published`);
    const pending = { ...item.live, expires: 0, change: item.changes?.[0] ?? never() };
    await versions.reserve(item, pending, { overwrite: true, now: 1 });
    await versions.commit(item, pending);
  }
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  /** S3 says by the ETag of how many parts an object was put. */
  const parts = async () => {
    const { pointer } = (await chartroom.publishedIndex()) ?? never();
    const key = `${pointer.folder}index.yaml`;
    const { ETag: etag } = await s3.send(new HeadObjectCommand({ Bucket: chartroom.bucketName, Key: key }));
    return Number(/-(\d+)"$/.exec(etag ?? '')?.[1] ?? 0);
  };

  expect(listed(await chartroom.readIndex())).toEqual(names.map((name) => `${name} 1.0.0`));
  expect(await parts()).toBe(3);
  await chartroom.publish(await aPackage({ name: 'chart-30', version: '1.1.0' }));
  const now = listed(await chartroom.readIndex());
  expect(now).toHaveLength(names.length + 1);
  expect(now).toContain('chart-30 1.1.0');
  expect(await parts()).toBe(4);
  expect((await chartroom.publishedIndex())?.index).toEqual(await chartroom.readIndex());
  await chartroom.stop();
});

function never(): never {
  throw new Error('it is not there');
}
