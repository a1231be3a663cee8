import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { aPackage } from '../packages.ts';
import { sha256 } from './chartroom.ts';

const APP = 'https://app.example.com';
const description = 'x'.repeat(2_000);
const files = { 'values.yaml': '# why\n'.repeat(400), 'templates/a.yaml': description };
const bytes = await aPackage({ name: 'demo', description, files });

let chartroom: LocalStack;
beforeAll(async () => {
  chartroom = await startLocal({ settings: { corsAllowOrigin: APP } });
  const { status } = await fetch(`${chartroom.url}/api/charts`, {
    method: 'POST',
    body: new Uint8Array(bytes),
  });
  expect(status).toBe(201);
});
afterAll(() => chartroom.stop());

// What no answer holds.
const MARK = '<answered>';

/** What curl gets. */
async function curl(path: string, ...options: readonly string[]) {
  const format = `${MARK}%{response_code} %{header_json}`;
  const args = ['--silent', '--show-error', ...options, '--write-out', format, `${chartroom.url}${path}`];
  const { stdout } = await promisify(execFile)('curl', args, { encoding: 'buffer' });
  const end = stdout.lastIndexOf(MARK);
  const [status = '', ...json] = stdout
    .subarray(end + MARK.length)
    .toString()
    .split(' ');
  const headers = JSON.parse(json.join(' ')) as Record<string, readonly string[]>;
  return {
    status: Number(status),
    body: stdout.subarray(0, end),
    header: (name: string) => headers[name]?.join(),
  };
}

const reads = ['/index.yaml', '/api/charts', '/api/charts/demo', '/api/charts/demo/1.0.0'];
const contents = ['/api/charts/demo/1.0.0/values', '/api/charts/demo/1.0.0/templates'];

describe.each([...reads, ...contents])('%s', (path) => {
  it('is plain unless gzip is asked for', async () => {
    const plain = await curl(path);
    expect([plain.status, plain.header('content-encoding')]).toEqual([200, undefined]);
    expect(plain.header('vary')).toBe('Accept-Encoding');
    const zipped = await curl(path, '--header', 'accept-encoding: gzip');
    expect([zipped.status, zipped.header('content-encoding')]).toEqual([200, 'gzip']);
    expect(gunzipSync(zipped.body)).toEqual(plain.body);
    expect(zipped.header('etag')).toBe(plain.header('etag')?.replace(/"$/, '-gzip"'));
    const head = await curl(path, '--head', '--header', 'accept-encoding: gzip');
    expect(head.header('content-length')).toBe(String(zipped.body.length));
    expect((await curl(path, '--compressed')).body).toEqual(plain.body);
  });

  it('is not sent again to whoever has it, in either form', async () => {
    for (const asked of [[], ['--header', 'accept-encoding: gzip']]) {
      const etag = (await curl(path, ...asked)).header('etag');
      const again = await curl(path, ...asked, '--header', `if-none-match: ${etag}`);
      expect([again.status, again.body.length, again.header('etag')]).toEqual([304, 0, etag]);
      expect(again.header('cache-control')).toBe('no-cache');
    }
  });

  it('is sent in parts', async () => {
    const { body, header } = await curl(path);
    const first = await curl(path, '--range', '0-9', '--header', `if-range: ${header('etag')}`);
    expect([first.status, first.header('content-range')]).toEqual([206, `bytes 0-9/${body.length}`]);
    const rest = await curl(path, '--range', '10-', '--header', 'accept-encoding: gzip');
    expect(Buffer.concat([first.body, rest.body])).toEqual(body);
    const outside = await curl(path, '--range', `${body.length}-`);
    expect([outside.status, outside.header('content-range')]).toEqual([416, `bytes */${body.length}`]);
    expect(JSON.parse(outside.body.toString())).toMatchObject({
      errors: [{ code: 'RANGE_NOT_SATISFIABLE' }],
    });
  });
});

it('a new version has a new tag wherever it shows', async () => {
  const before = await Promise.all(reads.slice(0, 3).map((path) => curl(path)));
  const another = new Uint8Array(await aPackage({ name: 'demo', version: '2.0.0' }));
  await fetch(`${chartroom.url}/api/charts`, { method: 'POST', body: another });
  for (const [position, path] of reads.slice(0, 3).entries()) {
    const condition = `if-none-match: ${before[position]?.header('etag')}`;
    expect((await curl(path, '--header', condition)).status, path).toBe(200);
  }
});

describe('a script in a browser', () => {
  const origin = ['--header', `origin: ${APP}`];

  it('may send what it asks about', async () => {
    const asked = ['--header', 'access-control-request-method: DELETE'];
    const answer = await curl('/api/charts/demo/1.0.0', '--request', 'OPTIONS', ...origin, ...asked);
    expect([answer.status, answer.header('access-control-allow-origin')]).toEqual([204, APP]);
    expect(answer.header('access-control-allow-methods')?.split(',')).toContain('DELETE');
    expect(answer.header('access-control-allow-headers')?.split(',')).toContain('Authorization');
  });

  it('may read answers, refusals too', async () => {
    for (const path of ['/index.yaml', '/api/charts/nothing']) {
      const answer = await curl(path, ...origin);
      expect(answer.header('access-control-allow-origin'), path).toBe(APP);
      expect(answer.header('access-control-expose-headers')?.split(',')).toContain('ETag');
    }
    const other = await curl('/index.yaml', '--header', 'origin: https://other.example.com');
    expect([other.status, other.header('access-control-allow-origin')]).toEqual([200, undefined]);
  });

  it('may follow the redirect to a package, as which it has no origin any more', async () => {
    const sent = await curl('/charts/demo-1.0.0.tgz', ...origin);
    expect([sent.status, sent.header('access-control-allow-origin')]).toEqual([302, APP]);
    const followed = await fetch(sent.header('location') ?? '', { headers: { origin: 'null' } });
    expect(followed.headers.get('access-control-allow-origin')).toBe('*');
    expect(sha256(new Uint8Array(await followed.arrayBuffer()))).toBe(sha256(bytes));
  });
});
