import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, it, onTestFinished } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import { pointersTable } from '../../shared/store/pointers-table.ts';
import { scriptedServer } from './scripted-server.ts';

// No DynamoDB but the real one tells it, so its answer is written out here.
it.each([
  { told: { SizeEstimateRangeGB: [7, 8] }, measured: [8] },
  { told: undefined, measured: [] },
])('a flip tells how large the items of a repository are at most: $measured', async ({ told, measured }) => {
  const asked: unknown[] = [];
  const server = await scriptedServer(async ({ body, response }) => {
    asked.push(JSON.parse(body.toString()).ReturnItemCollectionMetrics);
    response.end(JSON.stringify({ ItemCollectionMetrics: told }));
  });
  onTestFinished(() => server.close());
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ region: 'eu-central-1', credentials, endpoint: server.url });
  onTestFinished(() => client.destroy());
  const pointers = pointersTable(client, 'table');
  const pointer = {
    sequence: 1,
    folder: 'index/-/1-a/',
    sizeBytes: 1,
    versions: 1,
    settings: '',
    shrank: [],
    flips: [],
  };
  const heard: number[] = [];
  const repository = parseRepository([]);
  expect(await pointers.flip(repository, undefined, pointer, (gigabytes) => heard.push(gigabytes))).toBe(
    true,
  );
  expect(heard).toEqual(measured);
  await pointers.lease(repository, 'me', { now: 1, expires: 2 });
  expect(asked).toEqual(['SIZE', undefined]);
});
