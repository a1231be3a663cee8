import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { synthesize } from '../../local/synthesize.ts';
import { type Chartroom, startChartroom } from '../whole/chartroom.ts';
import { helmBinary } from './binary.ts';
import { aHelm, type Helm } from './helm.ts';

const file = path.join(import.meta.dirname, '../fixtures/charts/mailhog-5.8.0.tgz');

describe.skipIf(helmBinary() === undefined)('a Chartroom behind a base path', () => {
  let chartroom: Chartroom;
  let here: Helm;
  let folder = '';
  let url = '';
  let throttled = false;
  let asked = 0;
  /** What an API mapping with the key `helm` does. */
  const domain = createServer((request, response) => {
    asked += 1;
    const [, rest] = /^\/helm(\/.*)?$/.exec(request.url ?? '') ?? [];
    if (throttled) return void response.writeHead(429).end('{"message":"Too Many Requests"}');
    if (rest === undefined) return void response.writeHead(404).end('{"message":"Not Found"}');
    const { method, headers } = request;
    const passed = send(`${chartroom.url}${rest}`, { method, headers }, (answer) =>
      answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
    );
    request.pipe(passed);
  });
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'chartroom-base-path-'));
    // What the runner has no part for, it leaves out.
    const cloud = {
      domainName: 'charts.example.com',
      certificateArn: 'arn:aws:acm:eu-central-1:123456789012:certificate/1b2c-3d',
      kmsKeyArn: 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd',
      throttleRate: 1,
      throttleBurst: 1,
    };
    const context = { access: 'open', accessReason: 'a test', contextPath: '/helm', ...cloud };
    chartroom = await startChartroom({ assembly: await synthesize({ outDir: folder, context }) });
    url = `http://localhost:${await bind(domain, '127.0.0.1', 0)}/helm`;
    here = await aHelm();
  });
  afterAll(async () => {
    await close(domain);
    await here.remove();
    await chartroom.stop();
    await rm(folder, { recursive: true });
  });

  it('serves Helm and curl there, at any depth', async () => {
    for (const repository of ['', '/org/team']) {
      const posted = await here.curl('--data-binary', `@${file}`, `${url}/api${repository}/charts`);
      expect(posted.status).toBe(201);
      const name = `r${repository.length}`;
      await here.helm('repo', 'add', name, `${url}${repository}`);
      await here.helm('pull', `${name}/mailhog`, '--version', '5.8.0', '-d', here.folder);
    }
  });

  it('tells clients where there is what they made', async () => {
    const made = await fetch(`${url}/api/v2.0/labels`, { method: 'POST', body: '{"name":"a","scope":"g"}' });
    const location = new URL(made.headers.get('location') ?? '', url);
    expect(location.href).toContain(`${url}/api/v2.0/labels/`);
    expect((await fetch(location)).status).toBe(200);
  });

  it('is not asked again by a Helm that was throttled', async () => {
    asked = 0;
    throttled = true;
    const { ok, stdout, stderr } = await here.tryHelm('pull', 'r0/mailhog', '--version', '5.8.0');
    expect({ ok, asked, says: stdout + stderr }).toEqual({
      ok: false,
      asked: 1,
      says: expect.stringContaining('429'),
    });
  });
});
