import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { type DynamoDb, openDynamoDb } from '../../local/dynamodb.ts';
import { mendIndexes } from '../../local/table-indexes.ts';

type Item = Readonly<Record<string, { readonly S: string }>>;
type Done = (error: unknown) => void;
type Files = {
  readonly db: { close(done: Done): void };
  getIndexDb(
    type: string,
    table: string,
    index: string,
  ): { put(key: string, item: Item, done: Done): void; del(key: string, done: Done): void };
};
/** dynalite's own way to its files: what a killed runner leaves cannot be had by a call. */
const files = createRequire(import.meta.url)('dynalite/db') as {
  create(options: { readonly path: string }): Files;
  createIndexKey(item: Item, table: object, keys: readonly object[]): string;
};

const key = (name: string, type: string) => ({ AttributeName: name, KeyType: type });
const indexKeys = [key('pk', 'HASH'), key('mark', 'RANGE')];
const schema = {
  AttributeDefinitions: ['pk', 'sk', 'mark'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
  KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')],
  LocalSecondaryIndexes: [
    { IndexName: 'Marks', KeySchema: indexKeys, Projection: { ProjectionType: 'KEYS_ONLY' } },
  ],
};

const anItem = (sk: string, mark?: string): Item => ({
  pk: { S: 'p' },
  sk: { S: sk },
  ...(mark && { mark: { S: mark } }),
});
const withText = (item: Item): Item => ({ ...item, text: { S: 'what is in no index' } });

const sendTo = (dynamoDb: DynamoDb) => async (operation: string, request: object) => {
  const headers = new Map([
    ['x-amz-target', `DynamoDB_20120810.${operation}`],
    ['content-type', 'application/x-amz-json-1.0'],
    ['authorization', 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local'],
    ['x-amz-date', '20300101T000000Z'],
  ]);
  const { status, body = '' } = await dynamoDb.call(headers, Buffer.from(JSON.stringify(request)));
  expect({ status, body }).toMatchObject({ status: 200 });
  return JSON.parse(body) as Record<string, unknown>;
};

it('brings an index in line with the items, which stay whole', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-indexes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const where = path.join(folder, 'dynamodb');
  const TableName = 'Items';
  const items = [anItem('right', '1'), anItem('unlisted', '2'), anItem('stale', '3'), anItem('unmarked')];

  const first = openDynamoDb(where);
  const send = sendTo(first);
  await send('CreateTable', { TableName, BillingMode: 'PAY_PER_REQUEST', ...schema });
  await expect
    .poll(() => send('DescribeTable', { TableName }))
    .toMatchObject({ Table: { TableStatus: 'ACTIVE' } });
  for (const item of items) await send('PutItem', { TableName, Item: withText(item) });
  await first.close();

  const store = files.create({ path: where });
  const index = store.getIndexDb('Local', TableName, 'Marks');
  const at = (item: Item) => files.createIndexKey(item, schema, indexKeys);
  await promisify((done: Done) => index.del(at(anItem('unlisted', '2')), done))();
  for (const entry of [anItem('stale', '0'), anItem('unmarked', '0'), anItem('gone', '0')]) {
    await promisify((done: Done) => index.put(at(entry), entry, done))();
  }
  await promisify((done: Done) => store.db.close(done))();

  const second = openDynamoDb(where);
  onTestFinished(() => second.close());
  const sendAgain = sendTo(second);
  await mendIndexes(TableName, schema, sendAgain);
  const listed = await sendAgain('Scan', { TableName, IndexName: 'Marks' });
  expect(listed['Items']).toEqual([anItem('right', '1'), anItem('unlisted', '2'), anItem('stale', '3')]);
  const all = (await sendAgain('Scan', { TableName }))['Items'] as readonly Item[];
  expect(all.toSorted((a, b) => (a['sk']?.S ?? '').localeCompare(b['sk']?.S ?? ''))).toEqual(
    items.map(withText).toSorted((a, b) => (a['sk']?.S ?? '').localeCompare(b['sk']?.S ?? '')),
  );
});
