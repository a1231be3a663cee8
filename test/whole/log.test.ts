import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { metricNamespace, metrics } from '../../shared/metrics.ts';
import { type LogLine, metricValues } from '../log-lines.ts';
import { aPackage } from '../packages.ts';
import { anAdminRobot, type Chartroom, startChartroom } from './chartroom.ts';

// Generous: the queue gathers events for a second, and the machine may be busy.
const SECONDS = { timeout: 30_000, interval: 20 };

const password = 'correct horse';
const basic = (credentials: string) => ({ authorization: `Basic ${btoa(credentials)}` });

let room: Chartroom;
let admin: Readonly<Record<string, string>>;
const written: LogLine[] = [];

beforeAll(async () => {
  const log = (line: string) => written.push(JSON.parse(line) as LogLine);
  room = await startChartroom({ access: 'closed', adminPassword: password, log, retryAfterMs: 50 });
  const robot = await anAdminRobot(room, password);
  admin = basic(robot);
  await room.send('PUT', '/-/repositories/org', { headers: admin });
  await room.send('PUT', '/-/repositories/other', { headers: admin });
  const reader = { kind: 'robot', grants: [{ role: 'reader', on: 'org' }] };
  await room.send('PUT', '/-/accounts/reader', { headers: admin, body: JSON.stringify(reader) });
});
afterAll(() => room.stop());

/** The lines of a request, once there is one: it is written before the answer, and arrives after it. */
async function linesOf(requestId: string, count = 1): Promise<LogLine[]> {
  return await vi.waitFor(() => {
    const lines = written.filter((line) => line['requestId'] === requestId);
    expect(lines).toHaveLength(count);
    return lines;
  }, SECONDS);
}

/** Names and values of a line's metrics, each with the unit and the dimension that alarms and dashboard ask for. */
function valuesOf(line: LogLine): Record<string, unknown> {
  const values = metricValues(line);
  for (const { namespace, name, unit, dimensions } of values) {
    expect({ namespace, unit, dimensions }).toEqual({
      namespace: metricNamespace,
      unit: metrics[name as keyof typeof metrics],
      dimensions: [{ service: 'Chartroom' }],
    });
  }
  return Object.fromEntries(values.map(({ name, value }) => [name, value]));
}

const send = (id: string, method: string, path: string, init: RequestInit = {}) =>
  room.send(method, path, {
    ...init,
    headers: { 'content-type': 'application/octet-stream', 'x-request-id': id, ...init.headers },
  });

describe('a publish', () => {
  it('is followed from its client to the index by the id of the request', async () => {
    const body = new Uint8Array(await aPackage());
    const answer = await send('publish-1', 'POST', '/api/org/charts', { headers: admin, body });
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([201, 'publish-1']);
    const [line] = await linesOf('publish-1');
    expect(line).toMatchObject({
      level: 'INFO',
      message: 'a request was done',
      endpoint: 'publish-package',
      gatewayRequestId: expect.any(String),
      function_request_id: expect.any(String),
      status: 201,
      account: 'tester',
      repository: 'org',
      chart: 'demo',
      chartVersion: '1.0.0',
    });
    expect(line?.['gatewayRequestId']).not.toBe('publish-1');
    expect(line && valuesOf(line)).toEqual({ Published: 1 });

    const refresh = await vi.waitFor(() => {
      const found = written.find(({ message }) => message === 'an index was made current');
      expect(found).toMatchObject({
        endpoint: 'index-repositories',
        repository: 'org',
        requestIds: ['publish-1'],
        marks: 1,
        durationMs: expect.any(Number),
      });
      return found;
    }, SECONDS);
    const { OldestMark, ...rest } = refresh === undefined ? {} : valuesOf(refresh);
    const { pointer } = (await room.publishedIndex('org')) ?? {};
    expect(rest).toEqual({ Refreshed: 1, IndexSize: pointer?.sizeBytes, IndexVersions: 1 });
    expect(OldestMark).toBeGreaterThan(0);
    const lag = written.filter((line) => 'EventLag' in line).map((line) => valuesOf(line)['EventLag']);
    expect(lag[0]).toBeGreaterThanOrEqual(0);

    const { changes } = (await (
      await room.send('GET', '/-/audit?repository=org&limit=1', { headers: admin })
    ).json()) as { changes: readonly { by: { requestId: string } }[] };
    expect(changes.map(({ by }) => by.requestId)).toEqual(['publish-1']);
  });
});

describe('what is refused', () => {
  it.each([
    {
      why: 'no package',
      act: () => send('refused-0', 'POST', '/api/org/charts', { headers: admin, body: 'no package' }),
      line: { status: 400, code: 'invalid_package', account: 'tester', repository: 'org' },
      values: { Rejected: 1 },
    },
    {
      why: 'a wrong password',
      act: () => send('refused-1', 'GET', '/org/index.yaml', { headers: basic('admin:wrong-secret') }),
      line: { status: 401, code: 'wrong_credentials', address: '127.0.0.1', account: 'admin' },
      values: { BadCredentials: 1 },
    },
    {
      why: 'a password in the field for the name',
      act: () => send('refused-4', 'GET', '/org/index.yaml', { headers: basic('wrong-secret:admin') }),
      line: { status: 401, code: 'wrong_credentials', address: '127.0.0.1' },
      values: { BadCredentials: 1 },
    },
    {
      why: 'nobody',
      act: () => send('refused-2', 'GET', '/org/index.yaml'),
      line: { status: 401, code: 'unauthorized' },
      values: { Denied: 1 },
    },
    {
      why: 'what is not a change of charts',
      act: () => send('refused-3', 'PUT', '/-/repositories/a%20b', { headers: admin }),
      line: { status: 400, code: 'invalid_repository' },
      values: {},
    },
  ])('for $why is told with its reason, and counted', async ({ act, line: fields, values }) => {
    const answer = await act();
    const [line] = await linesOf(answer.headers.get('x-request-id') ?? '');
    const { error } = (await answer.json()) as { error: string };
    expect(line).toMatchObject({ level: 'INFO', message: 'a request was refused', reason: error, ...fields });
    expect(line && valuesOf(line)).toEqual(values);
    expect(JSON.stringify(line)).not.toContain('wrong-secret');
  });

  it('for want of a right is counted, told or hidden', async () => {
    const path = '/-/accounts/reader/secrets';
    const made = await room.send('POST', path, { headers: admin, body: '{"expiresInDays":1}' });
    const reader = basic(`reader:${((await made.json()) as { secret: string }).secret}`);
    const forbidden = await send('denied-1', 'DELETE', '/api/org/charts/demo', { headers: reader });
    const hidden = await send('denied-2', 'GET', '/other/index.yaml', { headers: reader });
    expect([forbidden.status, hidden.status]).toEqual([403, 404]);
    const lines = [...(await linesOf('denied-1')), ...(await linesOf('denied-2'))];
    expect(lines).toMatchObject([
      { code: 'forbidden', account: 'reader', repository: 'org' },
      { code: 'hidden', account: 'reader', repository: 'other' },
    ]);
    expect(lines.map(valuesOf)).toEqual([{ Denied: 1 }, { Denied: 1 }]);
  });
});

it('what is only read writes nothing', async () => {
  const read = (id: string, path: string, headers: object = {}) =>
    send(id, 'GET', path, { headers: { ...admin, ...headers } });
  const index = await read('read-1', '/org/index.yaml');
  const etag = index.headers.get('etag') ?? '';
  const answers = [
    index,
    await read('read-2', '/org/index.yaml', { 'if-none-match': etag }),
    await read('read-3', '/org/charts/demo-1.0.0.tgz'),
    await read('read-4', '/org/charts/demo-1.0.0.tgz.prov'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 304, 302, 404]);
  // What a later request writes comes after it.
  await send('read-5', 'DELETE', '/api/org/charts/none/1.0.0', { headers: admin });
  await linesOf('read-5');
  expect(written.filter((line) => String(line['requestId']).startsWith('read-'))).toHaveLength(1);
});

it('an upload through the bucket is counted when the indexer takes it or not', async () => {
  const upload = async (id: string, bytes: string | Uint8Array<ArrayBuffer>) => {
    const asked = await send(id, 'POST', '/api/org/uploads', { headers: admin });
    const { url, fields } = (await asked.json()) as { url: string; fields: Record<string, string> };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([bytes]));
    expect((await fetch(url, { method: 'POST', body: form })).ok).toBe(true);
  };
  await upload('upload-1', new Uint8Array(await aPackage({ version: '2.0.0' })));
  await upload('upload-2', 'no package');
  const [, published] = await linesOf('upload-1', 2);
  const [, rejected] = await linesOf('upload-2', 2);
  expect(published).toMatchObject({ repository: 'org', chart: 'demo', chartVersion: '2.0.0' });
  expect(rejected).toMatchObject({ repository: 'org', code: 'invalid_package', reason: expect.any(String) });
  expect([published, rejected].map((line) => line && valuesOf(line))).toEqual([
    { Published: 1 },
    { Rejected: 1 },
  ]);
});

it('an index that cannot be brought up to date is counted each time', async () => {
  await room.idle();
  room.intercept = ({ caller }) => (caller.startsWith('indexrepositories') ? 'fail-before' : 'pass');
  const body = new Uint8Array(await aPackage({ version: '3.0.0' }));
  await send('failing-1', 'POST', '/api/org/charts', { headers: admin, body });
  const line = await vi.waitFor(() => {
    const found = written.find((each) => 'RefreshFailed' in each);
    expect(found).toMatchObject({ level: 'ERROR', repository: 'org', error: { stack: expect.any(String) } });
    return found;
  }, SECONDS);
  room.intercept = undefined;
  expect(line && valuesOf(line)).toEqual({ RefreshFailed: 1 });
});

it('no line has a password, a header or a signed URL in it', () => {
  expect(written.length).toBeGreaterThan(10);
  expect(JSON.stringify(written)).not.toMatch(/Basic |correct horse|X-Amz-Signature/i);
});
