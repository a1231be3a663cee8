import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bundleDirectory } from '../../infra/bundle.ts';
import { functionIds, seeder } from '../../infra/functions.ts';
import { bind, close } from '../../local/listen.ts';
import { type Chartroom, startChartroom } from './chartroom.ts';

const password = 'correct horse';

/** Somewhere for CloudFormation's answers, as the URL is that it signs. */
async function aStackEvent(status = 200) {
  const answers: unknown[] = [];
  const server = createServer(async (request, response) => {
    const { method, headers } = request;
    answers.push({ method, type: headers['content-type'], ...((await json(request)) as object) });
    response.writeHead(status).end();
  });
  const ResponseURL = `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}/answer`;
  onTestFinished(async () => void (await close(server)));
  return {
    answers,
    names: { ResponseURL, StackId: 'stack', RequestId: 'one', LogicalResourceId: 'Account' },
  };
}

describe('the account that a closed deployment begins with', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom({ access: 'closed', adminPassword: password });
  });
  afterAll(() => chartroom.stop());

  const call = async (method: string, path: string, with_: string, body?: unknown) => {
    const authorization = `Basic ${Buffer.from(`admin:${with_}`).toString('base64')}`;
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return (await chartroom.send(method, path, { headers: { authorization }, ...sent })).status;
  };
  const change = (from: string, to: string) =>
    call('PUT', '/-/accounts/admin', from, {
      kind: 'user',
      grants: [{ role: 'admin', on: '*' }],
      password: to,
    });
  // Another one each time: what an endpoint's environment knew it honours for a minute.
  const fresh = ['/-/accounts', '/-/settings', '/api/charts', '/index.yaml', '/artifacthub-repo.yml'];
  const isKnown = async (with_: string) => (await call('GET', fresh.shift() ?? '/', with_)) !== 401;
  const seed = (event: unknown) => chartroom.invoke('seed-admin', event);

  const update = (secret: string, before: string) => ({
    RequestType: 'Update',
    ResourceProperties: { secret },
    OldResourceProperties: { secret: before },
  });

  it('has a password that outlives deployments, until it is reset or the secret is another', async () => {
    const { answers, names } = await aStackEvent();
    expect(await change(password, 'a password of mine')).toBe(200);
    expect(await seed({})).toEqual({ admin: 'kept' });
    await seed({ ...names, ...update('a', 'a') });
    expect(await isKnown('a password of mine')).toBe(true);
    expect(await seed({ reset: true })).toEqual({ admin: 'reset' });
    expect(await isKnown(password)).toBe(true);
    expect(await change(password, 'a password of mine')).toBe(200);
    await seed({ ...names, ...update('b', 'a') });
    expect(await isKnown(password)).toBe(true);
    expect(answers).toEqual(
      Array(2).fill({
        method: 'PUT',
        type: '',
        Status: 'SUCCESS',
        PhysicalResourceId: 'admin',
        StackId: 'stack',
        RequestId: 'one',
        LogicalResourceId: 'Account',
      }),
    );
  });

  it('stays when the deployment goes, as the table does', async () => {
    const { answers, names } = await aStackEvent();
    await seed({ ...names, RequestType: 'Delete', ResourceProperties: {} });
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(await isKnown(password)).toBe(true);
  });

  it('is made again where the table lost it', async () => {
    const { region, credentials, endpoints } = chartroom.clientConfig;
    const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
    const Key = { pk: { S: 'accounts' }, sk: { S: 'account#admin' } };
    await client.send(new DeleteItemCommand({ TableName: chartroom.tableName, Key }));
    expect(await isKnown(password)).toBe(false);
    expect(await seed({})).toEqual({ admin: 'made' });
    expect(await isKnown(password)).toBe(true);
  });

  it('undoes a deployment that cannot make it, and tells why', async () => {
    const { answers, names } = await aStackEvent();
    const held = [...chartroom.secretStrings];
    for (const [id] of held) chartroom.secretStrings.set(id, 'no JSON');
    await seed({ ...names, RequestType: 'Create', ResourceProperties: { secret: 'a' } });
    for (const [id, text] of held) chartroom.secretStrings.set(id, text);
    const Reason = 'Error: the admin secret does not hold JSON with a "password"';
    expect(answers).toMatchObject([{ Status: 'FAILED', Reason }]);
  });

  it('is made by the one bundle that can ask for its secret', () => {
    const asks = (id: string) =>
      readFileSync(path.join(bundleDirectory, id, 'index.mjs'), 'utf8').includes('GetSecretValue');
    expect(functionIds.filter(asks)).toEqual([seeder]);
  });

  it('is asked for once more where CloudFormation takes no answer', async () => {
    const { names } = await aStackEvent(503);
    const event = { ...names, RequestType: 'Delete', ResourceProperties: {} };
    await expect(seed(event)).rejects.toThrow('CloudFormation took no answer: 503');
  });
});

describe('an account of that name', () => {
  it('that was there before is nobody else’s once access is closed, at each start', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-seed-'));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    const grants = [{ role: 'admin', on: '*' }];
    const open = await startChartroom({ dataDir });
    const made = await open.send('PUT', '/-/accounts/admin', {
      body: JSON.stringify({ kind: 'user', grants, password: 'a guest’s own' }),
    });
    expect(made.status).toBe(201);
    await open.stop();
    const known: boolean[] = [];
    for (const adminPassword of ['first start', 'second start']) {
      const closed = await startChartroom({ access: 'closed', dataDir, adminPassword });
      for (const given of ['a guest’s own', 'first start', 'second start']) {
        const headers = { authorization: `Basic ${Buffer.from(`admin:${given}`).toString('base64')}` };
        known.push((await closed.send('GET', '/-/whoami', { headers })).status === 200);
      }
      await closed.stop();
    }
    expect(known).toEqual([false, true, false, false, false, true]);
  });
});
