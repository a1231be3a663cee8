import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routes } from '../../shared/routes.ts';
import { isDeployed } from '../deploy/deploy-kind.ts';
import { aPackage } from '../packages.ts';
import { type AnyChartroom, startAnyChartroom } from './chartroom.ts';

const basic = (account: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${account}:${password}`).toString('base64')}`,
});

/** A path that a route matches. */
const sample = (template: string) =>
  template
    .replace('{file}', 'demo-1.0.0.tgz')
    .replace('{name}', 'demo')
    .replace('{version}', '1.0.0')
    .replace('{project}', 'org')
    .replace('{account}', 'ci')
    .replace('{id}', 'x')
    .replace(/\{(segment\d)\}/g, '$1');

let chartroom: AnyChartroom;
beforeAll(async () => {
  chartroom = await startAnyChartroom({ access: 'closed', adminPassword: 'correct horse' });
});
afterAll(() => chartroom.stop());

describe('closed access', () => {
  // CI asks on all of them, which starts every function; here one of each permission will do, since
  // test/edge/access.test.ts asks every handler, and test/infra tells that each is deployed closed.
  const tried =
    process.env['PARITY'] === 'whole'
      ? routes
      : [...new Map(routes.map((route) => [route.permission, route])).values()];

  it('asks on every route but those that are open to all', async () => {
    for (const { method, path, permission } of tried) {
      const answer = await chartroom.send(method, sample(path));
      const shown = `${method} ${path}`;
      if (permission === 'none') {
        expect(answer.status, shown).toBe(200);
      } else if (permission !== 'anyone') {
        expect(answer.status, shown).toBe(401);
        expect(answer.headers.get('www-authenticate'), shown).toBe('Basic realm="Chartroom"');
      }
    }
  });

  it.each([
    { who: 'a wrong password', headers: basic('admin', 'wrong') },
    { who: 'another account', headers: basic('root', 'correct horse') },
    { who: 'half a header', headers: { authorization: 'Basic' } },
    { who: 'another scheme', headers: { authorization: 'Bearer correct horse' } },
  ])('refuses $who, and stores nothing', async ({ headers }) => {
    const body = new Uint8Array(await aPackage());
    const answer = await chartroom.send('POST', '/api/charts', { body, headers });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({
      error: expect.any(String),
      errors: [{ code: 'UNAUTHORIZED' }],
    });
    expect(await chartroom.keys()).toEqual([]);
  });

  it('lets the admin publish and read', async () => {
    const headers = basic('admin', 'correct horse');
    const body = new Uint8Array(await aPackage());
    expect((await chartroom.send('POST', '/api/charts', { body, headers })).status).toBe(201);
    expect((await chartroom.send('GET', '/index.yaml', { headers })).status).toBe(200);
    const download = await chartroom.send('GET', '/charts/demo-1.0.0.tgz', { headers });
    expect(download.status).toBe(302);
    // The signed URL needs no more than itself, and S3 refuses two credentials at once.
    const url = download.headers.get('location') ?? '';
    expect((await fetch(url)).status).toBe(200);
    // MiniStack looks at neither.
    if (!isDeployed) expect((await fetch(url, { headers })).status).toBe(400);
  });
});

describe('a robot', () => {
  const admin = basic('admin', 'correct horse');
  const put = async (method: string, path: string, body: unknown) =>
    await chartroom.send(method, path, { headers: admin, body: JSON.stringify(body) });

  it('publishes where it is let, with the secret that was shown once', async () => {
    const grants = [{ role: 'publisher', on: 'org/*' }];
    expect((await put('PUT', '/-/accounts/ci', { kind: 'robot', grants })).status).toBe(201);
    const made = await put('POST', '/-/accounts/ci/secrets', { expiresInDays: 90 });
    expect(made.status).toBe(201);
    const { secret } = (await made.json()) as { secret: string };
    const headers = basic('ci', secret);
    const publish = async (repository: string, query = '') => {
      const body = new Uint8Array(await aPackage());
      return await chartroom.send('POST', `/api/${repository}/charts${query}`, { headers, body });
    };
    await chartroom.idle();
    const before = await chartroom.keys();
    expect((await publish('other')).status).toBe(404);
    expect(await chartroom.keys()).toEqual(before);
    const missing = await publish('org/team');
    expect([missing.status, await missing.json()]).toEqual([
      404,
      expect.objectContaining({
        error: 'there is no repository org/team: PUT /-/repositories/org/team makes it',
      }),
    ]);
    for (const made of ['org', 'org/team']) {
      expect((await put('PUT', `/-/repositories/${made}`, {})).status).toBe(201);
    }
    expect((await publish('org/team')).status).toBe(201);
    expect((await publish('org/team', '?force')).status).toBe(403);
    expect((await chartroom.send('GET', '/org/team/index.yaml', { headers })).status).toBe(200);
    expect((await chartroom.send('DELETE', '/api/org/team/charts/demo', { headers })).status).toBe(403);
    expect((await chartroom.send('GET', '/org/index.yaml', { headers })).status).toBe(404);
    expect((await chartroom.send('GET', '/org/team/index.yaml')).status).toBe(401);
  });

  it('has Harbor’s names, in paths and in HTTP Basic', async () => {
    const grants = [{ role: 'publisher', on: '*' }];
    expect((await put('PUT', '/-/accounts/team+ci', { kind: 'robot', grants })).status).toBe(201);
    expect((await put('PUT', '/-/accounts/team%2Bci', { kind: 'robot', grants })).status).toBe(200);
    const made = await put('POST', '/-/accounts/team%2Bci/secrets', { expiresInDays: 1 });
    const { secret } = (await made.json()) as { secret: string };
    const whoami = await chartroom.send('GET', '/-/whoami', { headers: basic('robot$team+ci', secret) });
    expect(await whoami.json()).toEqual({ name: 'team+ci', kind: 'robot', grants });
    const admins = await chartroom.send('GET', '/-/whoami', {
      headers: basic('robot$admin', 'correct horse'),
    });
    expect([admins.status, await admins.json()]).toEqual([
      401,
      expect.objectContaining({ error: 'unauthorized: wrong user name or password' }),
    ]);
  });
});
