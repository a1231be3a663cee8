import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { secretDigest } from '../../shared/account-credentials.ts';
import { runCanary } from '../../shared/canary.ts';
import { canaryName } from '../../shared/contract.ts';
import { type LogLine, metricValues } from '../log-lines.ts';
import { aPackage } from '../packages.ts';
import { anAdminRobot, type Chartroom, startChartroom } from './chartroom.ts';

// Generous: lines come after the answer, and the machine may be busy.
const SECONDS = { timeout: 30_000, interval: 20 };

const password = 'correct horse';

let lines: string[] = [];
beforeEach(() => {
  lines = [];
});

/** What the canary reported of a metric since the test began; lines come after the answer. */
const reported = (metric: string): unknown[] =>
  lines.flatMap((line) => {
    const { _aws, [metric]: value } = JSON.parse(line) as Record<string, unknown>;
    return _aws === undefined || value === undefined ? [] : [value].flat();
  });

/** Every metric that anything told since the test began. */
const metricsTold = (): ReadonlySet<string> =>
  new Set(lines.flatMap((line) => metricValues(JSON.parse(line) as LogLine).map(({ name }) => name)));

const start = (access: 'open' | 'closed') =>
  startChartroom({ access, adminPassword: password, log: (line) => void lines.push(line) });

describe.each(['open', 'closed'] as const)('the canary, with %s access', (access) => {
  let chartroom: Chartroom;
  let headers: Record<string, string> = {};
  beforeAll(async () => {
    chartroom = await start(access);
    if (access === 'closed')
      headers = { authorization: `Basic ${btoa(await anAdminRobot(chartroom, password))}` };
  });
  afterAll(() => chartroom.stop());

  it('publishes, pulls and verifies a signed chart, and takes it away again', async () => {
    expect(await chartroom.invoke('run-canary')).toEqual({ publishMs: expect.any(Number) });
    await expect.poll(() => reported('CanarySucceeded'), SECONDS).toEqual([1]);
    await expect.poll(() => reported('CanaryPublish'), SECONDS).toEqual([expect.any(Number)]);
    const list = await chartroom.send('GET', `/api/${canaryName}/charts`, { headers });
    expect(await list.json()).toEqual({});
    await chartroom.idle();
    expect((await chartroom.keys()).filter((key) => /^(charts|files|inbox)\//.test(key))).toEqual([]);
  });

  it('counts as none of what others publish', async () => {
    await chartroom.invoke('run-canary');
    await chartroom.idle();
    await expect
      .poll(() => lines.some((line) => line.includes('an index was made current')), SECONDS)
      .toBe(true);
    await expect.poll(metricsTold).toEqual(new Set(['CanarySucceeded', 'CanaryPublish']));
  });

  it('says by which step it failed where the table fails', async () => {
    chartroom.intercept = ({ caller, operation }) =>
      caller.startsWith('publishpackage') && operation === 'UpdateItem' ? 'fail-before' : 'pass';
    onTestFinished(() => {
      chartroom.intercept = undefined;
    });
    await expect(chartroom.invoke('run-canary')).rejects.toThrow('the canary failed to publish');
    await expect.poll(() => reported('CanarySucceeded'), SECONDS).toEqual([0]);
    expect(reported('CanaryPublish')).toEqual([]);
    await expect.poll(() => lines.some((line) => line.includes('"step":"publish"')), SECONDS).toBe(true);
  });

  it('says so where the package cannot be pulled, and leaves nothing', async () => {
    chartroom.intercept = ({ caller }) => (caller.startsWith('getpackage') ? 'fail-before' : 'pass');
    onTestFinished(() => {
      chartroom.intercept = undefined;
    });
    await expect(chartroom.invoke('run-canary')).rejects.toThrow('the canary failed to pull it');
    await expect.poll(() => reported('CanarySucceeded'), SECONDS).toEqual([0]);
    const list = await chartroom.send('GET', `/api/${canaryName}/charts`, { headers });
    expect(await list.json()).toEqual({});
  });

  it('runs twice at once, and after its repository was deleted', async () => {
    const deleted = await chartroom.send('DELETE', `/-/repositories/${canaryName}`, { headers });
    expect(deleted.status).toBe(202);
    await chartroom.invoke('run-canary');
    await Promise.all([chartroom.invoke('run-canary'), chartroom.invoke('run-canary')]);
    await expect.poll(() => reported('CanarySucceeded'), SECONDS).toEqual([1, 1, 1]);
  });

  it('needs no more than its repository allows, whatever others say there', async () => {
    const refusing = { allowDelete: false, maxVersions: 1, requireSigned: false };
    const body = JSON.stringify(refusing);
    expect((await chartroom.send('PUT', `/-/settings/${canaryName}`, { headers, body })).status).toBe(200);
    await chartroom.invoke('run-canary');
    await expect.poll(() => reported('CanarySucceeded'), SECONDS).toEqual([1]);
  });
});

describe('what a run left that ended halfway', () => {
  let chartroom: Chartroom;
  beforeAll(async () => {
    chartroom = await start('open');
  });
  afterAll(() => chartroom.stop());

  const minutesFromNow = (minutes: number) => ({ now: () => Date.now() + minutes * 60_000 });
  const listedVersions = async () => {
    const list = await chartroom.send('GET', `/api/${canaryName}/charts/canary`);
    return list.status === 404
      ? []
      : ((await list.json()) as { version: string }[]).map((each) => each.version);
  };

  it('is let be while another run may be at it, and deleted later', async () => {
    const left = await aPackage({ name: 'canary', version: '1.0.1' });
    expect((await chartroom.publish(left, canaryName)).status).toBe(201);
    const run = (minutes: number) =>
      runCanary({
        clock: minutesFromNow(minutes),
        open: async () => undefined,
        fetch,
        address: chartroom.url,
      });
    expect(await run(5)).toMatchObject({ succeeded: true });
    expect(await listedVersions()).toEqual(['1.0.1']);
    expect(await run(11)).toMatchObject({ succeeded: true });
    expect(await listedVersions()).toEqual([]);
  });
});

describe('the account of the canary', () => {
  let chartroom: Chartroom;
  let headers: Record<string, string>;
  beforeAll(async () => {
    chartroom = await start('closed');
    headers = { authorization: `Basic ${btoa(await anAdminRobot(chartroom, password))}` };
  });
  afterAll(() => chartroom.stop());

  it('is a robot with its own repository alone, and secrets that end within minutes', async () => {
    await chartroom.invoke('run-canary');
    const answer = await chartroom.send('GET', `/-/accounts/${canaryName}`, { headers });
    const { secrets, ...account } = (await answer.json()) as { secrets: { expires: string }[] };
    expect(account).toMatchObject({
      kind: 'robot',
      grants: [{ role: 'maintainer', on: canaryName }],
    });
    expect(secrets).toHaveLength(1);
    for (const { expires } of secrets) {
      expect(Date.parse(expires)).toBeLessThan(Date.now() + 11 * 60_000);
    }
    for (let run = 0; run < 5; run += 1) await chartroom.invoke('run-canary');
    const later = await chartroom.send('GET', `/-/accounts/${canaryName}`, { headers });
    expect(((await later.json()) as { secrets: object[] }).secrets).toHaveLength(4);
  });

  const path = `/-/accounts/${canaryName}`;
  it.each([
    { method: 'PUT', path, body: '{"kind":"robot","grants":[{"role":"admin","on":"*"}]}' },
    { method: 'PUT', path, body: '{"kind":"user","password":"correct horse battery","grants":[]}' },
    { method: 'DELETE', path, body: undefined },
    { method: 'POST', path: `${path}/secrets`, body: '{"expiresInDays":1}' },
    { method: 'DELETE', path: `${path}/secrets/7`, body: undefined },
  ])(
    'is changed by nobody else: $method $path is 400, and says why',
    async ({ method, path, body = null }) => {
      const answer = await chartroom.send(method, path, { headers, body });
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringMatching(/account of the canary.*canaryMinutes=0/),
      ]);
    },
  );

  it('is no member of a project, and not in the list', async () => {
    await chartroom.send('POST', '/api/v2.0/projects', { headers, body: '{"project_name":"org"}' });
    const body = JSON.stringify({ role_id: 1, member_user: { username: canaryName } });
    expect((await chartroom.send('POST', '/api/v2.0/projects/org/members', { headers, body })).status).toBe(
      400,
    );
    const list = await chartroom.send('GET', '/-/accounts', { headers });
    expect(await list.text()).not.toContain(canaryName);
  });

  it('is no more than the canary, whatever its item says', async () => {
    const { region, credentials, endpoints } = chartroom.clientConfig;
    const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
    onTestFinished(() => client.destroy());
    const digest = secretDigest('secret').toString('hex');
    const secrets = [
      { id: '1', digest, created: '2026-01-02T03:04:05.678Z', expires: '2999-01-01T00:00:00Z' },
    ];
    const grants = [{ role: 'admin', on: '*' }];
    const account = { name: 'admin', kind: 'robot', created: '', grants, revision: '7', secrets };
    const Item = {
      pk: { S: 'canary' },
      sk: { S: `account#${canaryName}` },
      revision: { S: '7' },
      account: { S: JSON.stringify(account) },
    };
    await client.send(new PutItemCommand({ TableName: chartroom.tableName, Item }));
    const own = { authorization: `Basic ${btoa(`${canaryName}:secret`)}` };
    expect((await chartroom.send('GET', '/-/accounts', { headers: own })).status).toBe(403);
    const who = await chartroom.send('GET', '/-/whoami', { headers: own });
    expect(await who.json()).toMatchObject({
      name: canaryName,
      grants: [{ role: 'maintainer', on: canaryName }],
    });
    await chartroom.invoke('run-canary');
  });

  it('leaves what others publish there alone', async () => {
    const body = new Uint8Array(await aPackage());
    await chartroom.send('POST', `/api/${canaryName}/charts`, { headers, body });
    await chartroom.invoke('run-canary');
    const list = await chartroom.send('GET', `/api/${canaryName}/charts`, { headers });
    expect(Object.keys((await list.json()) as object)).toEqual(['demo']);
  });
});
