import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { invokeOn } from '../../local/invoke.ts';
import { repositoryFolders } from '../../shared/domain/object-keys.ts';
import { numberOf } from '../../shared/domain/project.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { knownRepositoriesTable } from '../../shared/store/known-repositories-table.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange } from '../store/records.ts';
import { anAdminRobot, answersLost, type Chartroom, startChartroom } from './chartroom.ts';

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

/** Puts an object wherever something of a repository can be. */
async function leaveObjects({ clientConfig, bucketName }: Chartroom, repository: string): Promise<void> {
  const { region, credentials, endpoints } = clientConfig;
  const client = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  for (const folder of repositoryFolders(parseRepository(repository.split('/')))) {
    await client.send(new PutObjectCommand({ Bucket: bucketName, Key: `${folder}left`, Body: 'x' }));
  }
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
  expect(await status('POST', '/api/v2.0/projects', '{"project_name": "shop"}')).toBe(201);
  const label = { name: 'ok', scope: 'p', project_id: numberOf('shop') };
  expect(await status('POST', '/api/v2.0/labels', JSON.stringify(label))).toBe(201);
  expect(await status('DELETE', '/-/repositories/shop')).toBe(202);
  await chartroom.idle();
  await age(chartroom, 'org/team');
  // Nobody hears of what else lies there.
  chartroom.deliver = () => [];
  await leaveObjects(chartroom, 'org/team');
  await age(chartroom, 'shop');
  const healthy = { healthy: true };
  expect(await invokeOn(dataDir, 'repair', { dryRun: true })).toMatchObject(healthy);
  chartroom.intercept = answersLost('reconcile');
  expect(await invokeOn(dataDir, 'reconcile', { now: true })).toMatchObject({ done: true, ...healthy });
  chartroom.intercept = undefined;
  chartroom.deliver = undefined;
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
