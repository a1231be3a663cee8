import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretDigest } from '../../shared/account-credentials.ts';
import { canaryAccount } from '../../shared/domain/canary.ts';
import { type EndpointRoutes, endpoints } from '../../shared/routes.ts';
import { accountsTable } from '../../shared/store/accounts-table.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange } from '../store/records.ts';
import { anAdminRobot, type Chartroom, startChartroom } from './chartroom.ts';

const PASSWORD = 'correct horse';
const CANARY_SECRET = 'of the canary';

const basic = (account: string, password: string) => ({
  authorization: `Basic ${btoa(`${account}:${password}`)}`,
});

/** As a run of it does, which tells nobody its secret. */
async function givesCanary({ clientConfig, tableName }: Chartroom): Promise<void> {
  const { region, credentials, endpoints } = clientConfig;
  const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const created = new Date().toISOString();
  const digest = secretDigest(CANARY_SECRET).toString('hex');
  const secrets = [{ id: '1', digest, created, expires: '2999-01-01T00:00:00.000Z' }];
  const robot = { name: canaryAccount, kind: 'robot', created, grants: [], revision: '1', secrets } as const;
  await accountsTable(client, tableName, 1).put(robot, undefined, anAccessChange());
  client.destroy();
}

/** Says that what stands for a project is its name. */
const byName = { 'x-is-resource-name': 'true' };

/** One route of each endpoint that asks who calls, in a repository below the root one where there is a choice. */
const asking = (Object.entries(endpoints) as [string, EndpointRoutes][]).flatMap(
  ([
    id,
    {
      methods: [method = 'GET'],
      permission,
      paths,
    },
  ]) => {
    const path = paths.find((each) => each.includes('{segment1}')) ?? paths[0] ?? '';
    const sample = path
      .replace('{segment1}', 'org')
      .replace('{file}', 'demo-1.0.0.tgz')
      .replace('{name}', 'demo')
      .replace('{version}', '1.0.0')
      .replace('{account}', 'nobody')
      .replace('{project}', 'org')
      .replace(/\{\w+\}/g, '7');
    return permission === 'none' ? [] : [{ id, method, path: sample, permission }];
  },
);

// Starts every function of two stacks, some 130 threads: CI asks for it.
describe.runIf(process.env['PARITY'] === 'whole').concurrent('every route', () => {
  let open: Chartroom;
  let closed: Chartroom;
  let admin: Record<string, string>;
  beforeAll(async () => {
    [open, closed] = await Promise.all([
      startChartroom(),
      startChartroom({ access: 'closed', adminPassword: PASSWORD }),
    ]);
    admin = basic(...((await anAdminRobot(closed, PASSWORD)).split(':') as [string, string]));
    await closed.send('PUT', '/-/repositories/org', { headers: admin, body: '{}' });
    await givesCanary(closed);
    for (const { send } of [open, closed]) {
      const body = new Uint8Array(await aPackage());
      await send('POST', '/api/org/charts', { headers: admin, body });
    }
  });
  afterAll(() => Promise.all([open.stop(), closed.stop()]));

  it.each(asking)(
    '$id knows a robot, notes the use of its secret, and asks what it may do',
    async ({ id, method, path, permission }) => {
      const robot = `robot-${id}`;
      const account = { headers: admin, body: JSON.stringify({ kind: 'robot', grants: [] }) };
      await closed.send('PUT', `/-/accounts/${robot}`, account);
      const secrets = `/-/accounts/${robot}/secrets`;
      const made = await closed.send('POST', secrets, { headers: admin, body: '{"expiresInDays":1}' });
      const { secret } = (await made.json()) as { secret: string };
      const headers = basic(robot, secret);
      const { status } = await closed.send(method, path, { headers });
      if (permission === 'account' || permission === 'anyone') expect(status).toBeLessThan(500);
      else expect([403, 404]).toContain(status);
      const shown = await closed.send('GET', `/-/accounts/${robot}`, { headers: admin });
      const { secrets: noted } = (await shown.json()) as { secrets: { id: string; lastUsed?: string }[] };
      expect(noted).toMatchObject([{ lastUsed: expect.any(String) }]);
      const removed = await closed.send('DELETE', `${secrets}/${noted[0]?.id}`, { headers: admin });
      expect(removed.status).toBeLessThan(300);
    },
  );

  it.each(asking)(
    '$id refuses a wrong password, and nobody where it must',
    async ({ id, method, path, permission }) => {
      // Of one account only some wrong ones would be looked at.
      const wrong = await closed.send(method, path, { headers: basic(`nobody-${id}`, 'wrong') });
      expect(wrong.status).toBe(401);
      const { status } = await closed.send(method, path);
      if (permission === 'anyone') expect(status).toBeLessThan(500);
      else expect(status).toBe(401);
    },
  );

  it.each(asking)('$id knows the canary, and asks what it may do', async ({ method, path, permission }) => {
    const { status } = await closed.send(method, path, { headers: basic(canaryAccount, CANARY_SECRET) });
    if (permission === 'account' || permission === 'anyone') expect(status).toBeLessThan(500);
    else expect([403, 404]).toContain(status);
  });

  it.each(asking)('$id answers who may do everything, open or closed', async ({ method, path }) => {
    // Without a body: nothing is changed but by DELETE. By a number: all are looked through.
    for (const { send } of [closed, open]) {
      expect((await send(method, path, { headers: { ...admin, ...byName } })).status).toBeLessThan(500);
      const numbered = path.replace('/projects/org', '/projects/7');
      expect((await send(method, numbered, { headers: admin })).status).toBeLessThan(500);
    }
  });
});
