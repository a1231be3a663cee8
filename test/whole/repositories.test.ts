import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { expect, it, onTestFinished } from 'vitest';
import { invokeOn } from '../../local/invoke.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { knownRepositoriesTable } from '../../shared/store/known-repositories-table.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange } from '../store/records.ts';
import { anAdminRobot, type Chartroom, startChartroom } from './chartroom.ts';

const nineDays = 9 * 24 * 60 * 60 * 1000;

/** Makes it look as if the repository had been deleted nine days before it was. */
async function age({ clientConfig, tableName }: Chartroom, repository: string): Promise<void> {
  const { region, credentials, endpoints } = clientConfig;
  const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const known = knownRepositoriesTable(client, tableName, 400);
  const found = await known.get(parseRepository(repository.split('/')));
  if (found?.deleted === undefined) throw new Error(`${repository} was not deleted`);
  const deleted = new Date(Date.parse(found.deleted) - nineDays).toISOString();
  expect(await known.put({ ...found, deleted, revision: 'aged' }, found.revision, anAccessChange())).toBe(
    true,
  );
  client.destroy();
}

it('a repository is made, used, deleted, brought back, deleted again and removed for good', async () => {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-repositories-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const chartroom = await startChartroom({ access: 'closed', adminPassword: 'correct horse', dataDir });
  onTestFinished(() => chartroom.stop());
  const sendAs = async (authorization: string, method: string, at: string, body?: Uint8Array | string) => {
    const sent = body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) };
    return await chartroom.send(method, at, { headers: { authorization }, ...sent });
  };
  const robot = `Basic ${btoa(await anAdminRobot(chartroom, 'correct horse'))}`;
  const send = (method: string, at: string, body?: Uint8Array | string) => sendAs(robot, method, at, body);
  const status = async (...args: Parameters<typeof send>) => (await send(...args)).status;
  const listed = async (at: string) => Object.keys(JSON.parse(await (await send('GET', at)).text()).entries);
  const team = '/-/repositories/org/team';

  const bytes = await aPackage();
  expect(await status('POST', '/api/org/team/charts', bytes)).toBe(404);
  expect(await chartroom.keys()).toEqual([]);
  expect(await status('PUT', team)).toBe(201);
  expect(await status('PUT', '/-/repositories/org')).toBe(201);
  expect(await listed('/org/team/index.yaml')).toEqual([]);
  for (const repository of ['org', 'org/team']) {
    expect(await status('POST', `/api/${repository}/charts`, bytes)).toBe(201);
  }
  expect(await listed('/org/team/index.yaml')).toEqual(['demo']);

  expect(await status('DELETE', team)).toBe(202);
  for (const at of ['/org/team/charts/demo-1.0.0.tgz', '/api/org/team/charts/demo', team]) {
    expect([at, await status('GET', at)]).toEqual([at, 404]);
  }
  // It was asked for a moment ago, which get-index remembers for some seconds.
  await expect.poll(() => status('GET', '/org/team/index.yaml'), { timeout: 30_000 }).toBe(404);
  expect(await status('POST', '/api/org/team/charts', await aPackage({ version: '2.0.0' }))).toBe(404);
  expect(await status('PUT', team)).toBe(409);
  expect(await status('PUT', team, '{"restore": true}')).toBe(200);
  expect(await listed('/org/team/index.yaml')).toEqual(['demo']);
  expect(await status('GET', '/org/team/charts/demo-1.0.0.tgz')).toBe(302);

  expect(await status('DELETE', team)).toBe(202);
  await chartroom.idle();
  await age(chartroom, 'org/team');
  const healthy = { healthy: true };
  expect(await invokeOn(dataDir, 'repair', { dryRun: true })).toMatchObject(healthy);
  expect(await invokeOn(dataDir, 'reconcile', { now: true })).toMatchObject({ done: true, ...healthy });
  // The events of what was removed come after it.
  await chartroom.idle();
  expect((await chartroom.keys()).filter((key) => key.includes('org/team'))).toEqual([]);
  expect(await chartroom.items()).not.toContain('repository#org/team');
  expect(await (await send('GET', '/-/repositories')).json()).toMatchObject({
    repositories: [{ path: 'org' }],
  });
  expect(await listed('/org/index.yaml')).toEqual(['demo']);

  expect(await status('PUT', team)).toBe(201);
  expect(await listed('/org/team/index.yaml')).toEqual([]);
  expect(await invokeOn(dataDir, 'repair', { dryRun: true })).toMatchObject({ ...healthy, findings: [] });
});
