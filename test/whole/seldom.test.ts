import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { inParallel } from '../../shared/async-iteration.ts';
import { numberOf } from '../../shared/domain/project.ts';
import { aPackage } from '../packages.ts';
import { anAdminRobot, answersLost, type Chartroom, startChartroom } from './chartroom.ts';

// What functions call once in a long while. Use cases are tested over stores in memory; here each right that is there
// for them is used (docs/testing.md, Permissions). CI asks for it.
const isAsked = process.env['PARITY'] === 'whole';

const bucketOf = ({ clientConfig, bucketName }: Chartroom) => {
  const { region, credentials, endpoints } = clientConfig;
  const client = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  return {
    put: (key: string) => client.send(new PutObjectCommand({ Bucket: bucketName, Key: key, Body: 'x' })),
    remove: (key: string) => client.send(new DeleteObjectCommand({ Bucket: bucketName, Key: key })),
  };
};

async function lose(chartroom: Chartroom, pattern: RegExp): Promise<void> {
  const lost = (await chartroom.keys()).filter((key) => pattern.test(key));
  expect(lost).not.toHaveLength(0);
  for (const key of lost) await bucketOf(chartroom).remove(key);
}

/** Makes it look as if each index had become current a day before it did. */
async function ageIndexes({ clientConfig, tableName }: Chartroom): Promise<void> {
  const { region, credentials, endpoints } = clientConfig;
  const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const { Items: items = [] } = await client.send(new ScanCommand({ TableName: tableName }));
  const pointers = items.filter(({ flips }) => flips !== undefined);
  expect(pointers).not.toHaveLength(0);
  for (const pointer of pointers) {
    const flips = JSON.parse(pointer['flips']?.S ?? '') as { began: number; at: number }[];
    const aged = flips.map((flip) => ({ ...flip, began: flip.began - DAY_MS, at: flip.at - DAY_MS }));
    const item = { ...pointer, flips: { S: JSON.stringify(aged) } };
    await client.send(new PutItemCommand({ TableName: tableName, Item: item }));
  }
  client.destroy();
}

const DAY_MS = 24 * 60 * 60 * 1000;

describe.runIf(isAsked)('files that are lost', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom();
    await chartroom.publish(await aPackage(), 'org');
    await chartroom.idle();
    await lose(chartroom, /^files\//);
  });
  afterAll(() => chartroom.stop());

  it.each([
    '/api/org/charts/demo/1.0.0/values',
    '/api/org/charts/demo/1.0.0/templates',
    '/api/org/charts/demo/1.0.0/readme',
    '/api/org/charts/demo/1.0.0/schema',
    '/api/org/charts/demo/1.0.0/files',
    '/api/org/charts/demo/1.0.0/chart',
    '/api/chartrepo/org/charts/demo/1.0.0',
  ])('%s says so', async (asked) => {
    const { status } = await chartroom.send('GET', asked);
    expect(status).toBe(500);
  });
});

describe.runIf(isAsked)('an index that is lost', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom();
    for (const repository of ['', 'org']) await chartroom.publish(await aPackage(), repository);
    for (const repository of ['', 'org']) await chartroom.readIndex(repository);
    await chartroom.idle();
    // Nobody hears of the events: else the first who asks for it has it built anew.
    chartroom.deliver = () => [];
    await lose(chartroom, /^index\//);
  });
  afterAll(() => chartroom.stop());

  it.each([
    '/',
    '/api/charts',
    '/api/org/charts',
    '/api/chartrepo/org/charts',
    '/chartrepo/index.yaml',
    '/api/v2.0/search?q=demo',
  ])('%s asks for it to be built anew', async (asked) => {
    const { status } = await chartroom.send('GET', asked);
    expect(status).toBe(503);
  });

  it.each(['/api/v2.0/projects', '/api/v2.0/projects/org'])('%s counts no charts', async (asked) => {
    const headers = { 'x-is-resource-name': 'true' };
    const { status } = await chartroom.send('GET', asked, { headers });
    expect(status).toBe(200);
  });
});

describe.runIf(isAsked)('a change that no index shows yet', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom();
    chartroom.deliver = () => [];
    await chartroom.publish(await aPackage(), 'org');
  });
  afterAll(() => chartroom.stop());

  it.each([
    { method: 'GET', asked: '/api/v2.0/projects', told: [{ name: 'org', chart_count: 1 }] },
    { method: 'GET', asked: '/api/v2.0/projects/org', told: { chart_count: 1 } },
    { method: 'GET', asked: '/api/v2.0/projects/org/_deletable', told: { deletable: false } },
    { method: 'DELETE', asked: '/api/v2.0/projects/org', told: { errors: [{ code: 'PRECONDITION' }] } },
  ])('counts: $method $asked', async ({ method, asked, told }) => {
    expect(await (await chartroom.send(method, asked)).json()).toMatchObject(told);
  });
});

describe.runIf(isAsked)('a large index that cannot be put', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom({ retryAfterMs: 600_000 });
    // Above 16 MiB it is put in parts. Without events, since each would make it anew.
    const description = 'x'.repeat(120_000);
    chartroom.deliver = () => [];
    for (const repository of ['', 'org']) {
      await inParallel([...Array(145).keys()], async (patch) => {
        const bytes = await aPackage({ version: `1.0.${patch}`, description });
        expect((await chartroom.publish(bytes, repository)).status).toBe(201);
      });
      expect(Object.keys((await chartroom.readIndex(repository)).entries)).toEqual(['demo']);
    }
  });
  afterAll(() => chartroom.stop());

  it('is led to, by a chart of its own too', async () => {
    for (const asked of ['/org/charts/demo/index.yaml', '/chartrepo/index.yaml']) {
      const answer = await chartroom.send('GET', asked);
      expect([asked, answer.status]).toEqual([asked, 302]);
      expect((await fetch(answer.headers.get('location') ?? '')).status).toBe(200);
    }
  });

  it('is given up by whoever puts it', async () => {
    const given: string[] = [];
    chartroom.onCall = ({ operation, caller }) => {
      if (operation === 'AbortMultipartUpload') given.push(caller);
    };
    chartroom.intercept = ({ operation }) => (/^UploadPart/.test(operation) ? 'fail-before' : 'pass');
    chartroom.deliver = undefined;
    for (const repository of ['', 'org']) {
      await chartroom.publish(await aPackage({ name: 'another' }), repository);
    }
    for (const asked of [
      '/',
      '/index.yaml',
      '/api/charts',
      '/api/chartrepo/org/charts',
      '/chartrepo/index.yaml',
      '/api/v2.0/search?q=demo',
    ]) {
      expect((await chartroom.send('GET', asked)).status).toBeGreaterThanOrEqual(500);
    }
    for (const name of ['reconcile', 'repair']) {
      await expect(chartroom.invoke(name, { now: true })).rejects.toThrow();
    }
    await expect
      .poll(() => [...new Set(given)].map((id) => id.replace(/Function\w+$/, '')).toSorted())
      .toEqual([
        'gethome',
        'getindex',
        'getmergedindex',
        'indexrepositories',
        'listcharts',
        'listprojectcharts',
        'reconcile',
        'repair',
        'search',
      ]);
    chartroom.onCall = undefined;
    chartroom.intercept = undefined;
    expect((await chartroom.send('GET', '/api/v2.0/search?q=demo')).status).toBe(200);
    chartroom.deliver = () => [];
    await chartroom.publish(await aPackage({ name: 'one-more' }), 'org');
    expect((await chartroom.send('GET', '/chartrepo/index.yaml')).status).toBe(302);
  });
});

describe.runIf(isAsked)('what is left lying', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-seldom-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const UUID = '00000000-0000-4000-8000-000000000000';

  beforeAll(async () => {
    const chartroom = await startChartroom({ dataDir: folder });
    for (const version of ['1.0.0', '1.0.1', '1.0.2']) {
      await chartroom.publish(await aPackage({ version }));
      await chartroom.idle();
    }
    chartroom.deliver = () => [];
    const bucket = bucketOf(chartroom);
    await lose(chartroom, /^files\/.*\/1\.0\.1\//);
    for (const key of await chartroom.keys()) {
      const isOfVersion = /^(charts|files)\/.*\/1\.0\.0\//.test(key);
      if (isOfVersion) await bucket.put(key.replace(/[^-/]{8}(-[^-/]{4}){3}-[^-/.]{12}/, UUID));
    }
    await bucket.put(`inbox/-/${UUID}.tgz`);
    // Of this no index tells yet.
    await chartroom.publish(await aPackage({ version: '2.0.0' }));
    await ageIndexes(chartroom);
    await chartroom.stop();
    const [bucketFolder = ''] = readdirSync(path.join(folder, 's3'));
    const journal = path.join(folder, 's3', bucketFolder, 'journal.jsonl');
    const aged = readFileSync(journal, 'utf8').replaceAll(/"modified":"20\d\d/g, '"modified":"2019');
    writeFileSync(journal, aged);
  });

  it.each([
    { who: 'reconcile', event: { now: true } },
    { who: 'repair', event: {} },
    { who: 'index-repositories', event: undefined },
  ])('is removed by $who, and what is lost made again', async ({ who, event }) => {
    const copy = mkdtempSync(path.join(tmpdir(), 'chartroom-seldom-'));
    onTestFinished(() => rmSync(copy, { recursive: true, force: true }));
    cpSync(folder, copy, { recursive: true });
    const chartroom = await startChartroom({ dataDir: copy });
    onTestFinished(() => chartroom.stop());
    const indexes = async () => (await chartroom.keys()).filter((key) => /^index\/.*index\.yaml$/.test(key));
    const before = await indexes();
    if (event === undefined) await chartroom.publish(await aPackage({ version: '3.0.0' }));
    else await chartroom.invoke(who, event);
    await chartroom.idle();
    expect(await indexes()).not.toEqual(expect.arrayContaining(before));
    if (event === undefined) return;
    const keys = await chartroom.keys();
    expect(keys.filter((key) => key.includes(UUID) && !key.startsWith('rejected/'))).toEqual([]);
    expect(keys.filter((key) => /^files\/.*\/1\.0\.1\//.test(key))).toHaveLength(1);
  });
});

describe.runIf(isAsked)('what comes late', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await startChartroom();
    // Long enough for what is done before it.
    chartroom.deliver = () => [2000];
  });
  afterAll(() => chartroom.stop());

  it('is taken for nothing where the package of a publisher that died is gone', async () => {
    chartroom.intercept = ({ operation, key = '' }) =>
      operation === 'PutObject' && key.startsWith('charts/') ? 'kill-after' : 'pass';
    expect((await chartroom.publish(await aPackage())).status).toBeGreaterThanOrEqual(500);
    chartroom.intercept = undefined;
    await lose(chartroom, /^charts\//);
    await chartroom.idle();
    expect((await chartroom.readIndex()).entries).toEqual({});
  });

  it('is told of more versions than are to be kept, and deletes what is beyond', async () => {
    for (const version of ['1.0.0', '1.0.1']) {
      expect((await chartroom.publish(await aPackage({ version }), 'kept')).status).toBe(201);
    }
    const body = '{"maxVersionsPerChart": 1}';
    expect((await chartroom.send('PUT', '/-/settings/kept', { body })).status).toBe(200);
    await chartroom.idle();
    const kept = (await chartroom.keys()).filter((key) => /^(charts|files)\/kept\//.test(key));
    expect(kept).toHaveLength(2);
  });

  it('is a package whose provenance file came before it, and one whose provenance file is lost', async () => {
    const fixtures = path.join(import.meta.dirname, '../fixtures');
    const keyRing = readFileSync(path.join(fixtures, 'keys/pubring.gpg')).toString('base64');
    const body = JSON.stringify({ requireSigned: true, keyRing });
    const [chart, prov] = ['mailhog-5.8.0.tgz', 'mailhog-5.8.0.tgz.prov'].map((name) =>
      readFileSync(path.join(fixtures, 'charts', name)),
    );
    if (chart === undefined || prov === undefined) throw new Error('the fixtures are not there');
    for (const repository of ['first', 'lost']) {
      expect((await chartroom.send('PUT', `/-/settings/${repository}`, { body })).status).toBe(200);
      const given = { body: new Uint8Array(prov), headers: { 'content-type': 'application/octet-stream' } };
      expect((await chartroom.send('POST', `/api/${repository}/prov`, given)).status).toBe(201);
    }
    await lose(chartroom, /^charts\/lost\//);
    expect((await chartroom.publish(chart, 'first')).status).toBe(201);
    expect((await chartroom.publish(chart, 'lost')).status).toBe(400);
  });
});

describe.runIf(isAsked)('projects with labels and members', () => {
  const password = 'correct horse';
  let chartroom: Chartroom;
  let admin: string;
  let guest: string;
  beforeAll(async () => {
    chartroom = await startChartroom({ access: 'closed', adminPassword: password });
    admin = await anAdminRobot(chartroom, password);
    const account = await send(admin, 'PUT', '/-/accounts/guest', { kind: 'robot', grants: [] });
    expect(account.status).toBe(201);
    const made = await send(admin, 'POST', '/-/accounts/guest/secrets', { expiresInDays: 1 });
    guest = `guest:${((await made.json()) as { secret: string }).secret}`;
    expect((await send(admin, 'POST', '/api/v2.0/projects', { project_name: 'org' })).status).toBe(201);
  });
  afterAll(() => chartroom.stop());

  const send = (as: string, method: string, at: string, value?: object) =>
    chartroom.send(method, at, {
      headers: { authorization: `Basic ${btoa(as)}`, 'x-is-resource-name': 'true' },
      ...(value !== undefined && { body: JSON.stringify(value) }),
    });
  const label = { name: 'ok', scope: 'p', project_id: numberOf('org') };
  const makeLabel = async () => {
    const made = await send(admin, 'POST', '/api/v2.0/labels', label);
    expect(made.status).toBe(201);
    return made.headers.get('location') ?? '';
  };

  it('shows nobody a label of a project that they may not read', async () => {
    const at = await makeLabel();
    const ofProject = `/api/v2.0/labels?scope=p&project_id=${label.project_id}`;
    for (const [method, asked] of [
      ['GET', ofProject],
      ['GET', at],
      ['PUT', at],
      ['DELETE', at],
      ['POST', '/api/v2.0/labels'],
    ] as const) {
      const { status } = await send(guest, method, asked, method === 'GET' ? undefined : label);
      expect([method, asked, status]).toEqual([method, asked, 404]);
    }
    expect(await (await send(admin, 'GET', ofProject)).json()).toHaveLength(1);
    expect((await send(admin, 'PUT', at, { ...label, name: 'good' })).status).toBe(200);
    expect((await send(admin, 'DELETE', at)).status).toBe(200);
  });

  it('shows nobody the members of one that they may not read', async () => {
    const members = '/api/v2.0/projects/org/members';
    const user = { user_id: numberOf('guest') };
    const added = await send(admin, 'POST', members, { role_id: 3, member_user: user });
    expect(added.status).toBe(201);
    const member = added.headers.get('location') ?? '';
    expect((await send(admin, 'PUT', member, { role_id: 2 })).status).toBe(200);
    expect((await send(admin, 'DELETE', '/api/v2.0/projects/org')).status).toBe(200);
    expect((await send(admin, 'POST', '/api/v2.0/projects', { project_name: 'org' })).status).toBe(201);
    expect(await (await send(admin, 'GET', members)).json()).toEqual([]);
  });

  it('makes one anew without the labels of the one before', async () => {
    await makeLabel();
    expect((await send(admin, 'DELETE', '/-/repositories/org')).status).toBe(202);
    chartroom.intercept = answersLost('createproject');
    expect((await send(admin, 'POST', '/api/v2.0/projects', { project_name: 'org' })).status).toBe(201);
    chartroom.intercept = undefined;
    const left = await send(admin, 'GET', `/api/v2.0/labels?scope=p&project_id=${label.project_id}`);
    expect(await left.json()).toEqual([]);
  });
});
