import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { parseAccountName } from '../../shared/domain/account.ts';
import { indexFolder } from '../../shared/domain/object-keys.ts';
import { accountsTable } from '../../shared/store/accounts-table.ts';
import { versionKey } from '../../shared/store/item-keys.ts';
import { pointersTable } from '../../shared/store/pointers-table.ts';
import { versionsTable } from '../../shared/store/versions-table.ts';
import { createTable } from './aws.ts';
import { aChange, anAccessChange, aPending, aProvenance, aVersionId, now } from './records.ts';
import { scriptedServer } from './scripted-server.ts';
import { publish } from './versions-contract.ts';

const tableName = 'tables';
const fresh = { overwrite: false, now };

/** A DynamoDB that says what it was asked, and can lose its answer to one write after doing it. */
async function aTable() {
  const items = dynalite({ createTableMs: 0 });
  const behind = `http://127.0.0.1:${await bind(items, '127.0.0.1', 0)}`;
  const asked: string[] = [];
  const state = { loseNext: false };
  const front = await scriptedServer(async ({ request, body, response }) => {
    const target = String(request.headers['x-amz-target']);
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const headers = {
      authorization,
      'content-type': type,
      'x-amz-target': target,
      'x-amz-date': '20300102T030405Z',
    };
    const answer = await fetch(behind, { method: 'POST', headers, body: new Uint8Array(body) });
    const text = await answer.text();
    asked.push(target.replace(/.*\./, ''));
    const lost = state.loseNext;
    state.loseNext = false;
    if (lost) response.destroy();
    else response.writeHead(answer.status, { 'content-type': type }).end(text);
  });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new DynamoDBClient({ endpoint: front.url, region: 'us-east-1', credentials });
  await createTable(client, tableName);
  return {
    client,
    /** @returns what a call answers whose first attempt was applied and not answered */
    withAnswerLost: async <T>(call: () => Promise<T>) => {
      state.loseNext = true;
      return await call();
    },
    /** @returns the operations that a call took */
    operationsOf: async (call: () => Promise<unknown>) => {
      asked.length = 0;
      await call();
      return [...asked];
    },
    close: async () => {
      client.destroy();
      await Promise.all([front.close(), close(items)]);
    },
  };
}

describe('the tables', () => {
  let table: Awaited<ReturnType<typeof aTable>>;
  beforeAll(async () => {
    table = await aTable();
  });
  afterAll(() => table.close());
  const store = () => versionsTable(table.client, tableName);

  it('answer true to who reserves, adds provenance or flips, though the first answer was lost', async () => {
    const id = aVersionId();
    const pending = aPending(id);
    expect(await table.withAnswerLost(() => store().reserve(id, pending, fresh))).toBe(true);
    const provenance = aProvenance(id);
    const change = aChange({ action: 'signed' });
    const add = () => store().addProvenance(id, provenance, { overwrite: false, change });
    expect(await table.withAnswerLost(add)).toBe(true);
    expect((await store().get(id))?.changes).toEqual([change]);
    const folder = indexFolder(id.repository, 1, 'an-id');
    const next = { sequence: 1, folder, sizeBytes: 1, versions: 1, settings: 'json', shrank: [], flips: [] };
    const flip = () => pointersTable(table.client, tableName).flip(id.repository, undefined, next);
    expect(await table.withAnswerLost(flip)).toBe(true);
  });

  it('commit a reservation that says not whose it is, as those did from before the audit', async () => {
    const id = aVersionId();
    const pending = aPending(id);
    await store().reserve(id, pending, fresh);
    await table.client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: versionKey(id),
        UpdateExpression: 'REMOVE pending.#change',
        ExpressionAttributeNames: { '#change': 'change' },
      }),
    );
    const found = (await store().get(id))?.pending ?? pending;
    const change = { id: pending.key, at: pending.created, action: 'published', digest: pending.digest };
    const told = { ...change, by: { account: 'chartroom', kind: 'chartroom' } };
    expect(found.change).toEqual(told);
    expect(await store().commit(id, found)).toBe(true);
    expect(await store().get(id)).toMatchObject({ live: { key: pending.key }, changes: [told] });
  });

  it('say that it is to be tried again where others write the same all the time', async () => {
    const busy = await scriptedServer(async ({ response }) => {
      const conflict = {
        __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
        CancellationReasons: [{ Code: 'TransactionConflict' }],
      };
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(conflict));
    });
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new DynamoDBClient({ endpoint: busy.url, region: 'us-east-1', credentials });
    const writing = accountsTable(client, tableName, 1).remove(parseAccountName('ada'), anAccessChange());
    await expect(writing).rejects.toMatchObject({ code: 'try_again', retryAfterSeconds: 1 });
    client.destroy();
    await busy.close();
  });

  it('take one write to clear the mark of a live version', async () => {
    const id = aVersionId();
    await publish(store(), id);
    const token = (await store().get(id))?.unindexed ?? '';
    expect(await table.operationsOf(() => store().indexed({ ...id, token }))).toEqual(['UpdateItem']);
    expect((await store().get(id))?.unindexed).toBeUndefined();
  });

  it('throw what is no failed condition', async () => {
    const id = aVersionId();
    const nowhere = versionsTable(table.client, 'no-such-table');
    const missing = { name: 'ResourceNotFoundException' };
    await expect(nowhere.reserve(id, aPending(id), fresh)).rejects.toMatchObject(missing);
    await expect(nowhere.indexed({ ...id, token: 'x' })).rejects.toMatchObject(missing);
  });
});
