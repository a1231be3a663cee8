import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, adminPassword, basic, type Chartroom } from './chartroom.ts';

const admin = basic('admin', adminPassword);

async function read(chartroom: Chartroom, query: string, headers: Record<string, string> = {}) {
  const { status, body } = await chartroom.send('GET', `/-/audit?${query}`, { headers });
  return { status, body: JSON.parse(body) };
}

/** What the audit has once a reader has seen the index. */
async function changesOf(chartroom: Chartroom, query = 'repository=org', headers = {}) {
  for (const path of ['/index.yaml', '/org/index.yaml']) await chartroom.send('GET', path, { headers });
  return (await read(chartroom, query, headers)).body.changes;
}

const by = (account: string, kind: string, requestId = 'gateway-id=') => ({
  account,
  kind,
  address: '192.0.2.1',
  requestId,
});

const madeOrg = {
  id: expect.any(String),
  at: expect.any(String),
  by: by('admin', 'user'),
  action: 'repository_created',
  repository: 'org',
};

const json = { 'content-type': 'application/json' };

async function put(chartroom: Chartroom, path: string, sent: unknown = {}, headers = admin) {
  const body = JSON.stringify(sent);
  const answer = await chartroom.send('PUT', path, { headers: { ...json, ...headers }, body });
  expect([200, 201]).toContain(answer.status);
}

describe('GET /-/audit', () => {
  it('tells who published, overwrote, signed and deleted, with the digests of what came and went', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    await put(chartroom, '/-/repositories/org');
    chartroom.clock.advance(1000);
    const robot = { kind: 'robot', grants: [{ role: 'maintainer', on: 'org' }] };
    await put(chartroom, '/-/accounts/ci', robot);
    const made = await chartroom.send('POST', '/-/accounts/ci/secrets', {
      headers: { ...json, ...admin },
      body: '{"expiresInDays": 1}',
    });
    const ci = basic('ci', JSON.parse(made.body).secret);
    const first = await aPackage();
    const second = await aPackage({ description: 'second' });
    const prov = aProvenance(second);
    const send = async (method: string, path: string, requestId: string, body?: Uint8Array) => {
      const headers = { ...ci, 'x-request-id': requestId };
      const answer = await chartroom.send(method, path, { headers, ...(body && { body }) });
      expect(answer.status).toBeLessThan(300);
      chartroom.clock.advance(1000);
    };
    await send('POST', '/api/org/charts', 'one', first);
    await send('POST', '/api/org/charts?force', 'two', second);
    await send('POST', '/api/org/prov', 'three', prov);
    await send('DELETE', '/api/org/charts/demo/1.0.0', 'four');
    const common = { id: expect.any(String), repository: 'org', name: 'demo', version: '1.0.0' };
    const at = (second: number) => `2026-01-02T03:04:${String(6 + second).padStart(2, '0')}.678Z`;
    const [was, digest] = [digestOf(first), digestOf(second)];
    expect(await changesOf(chartroom, 'repository=org', admin)).toEqual([
      { ...common, at: at(3), by: by('ci', 'robot', 'four'), action: 'deleted', was: digest },
      { ...common, at: at(2), by: by('ci', 'robot', 'three'), action: 'signed', digest: digestOf(prov) },
      { ...common, at: at(1), by: by('ci', 'robot', 'two'), action: 'overwrote', digest, was },
      { ...common, at: at(0), by: by('ci', 'robot', 'one'), action: 'published', digest: was },
      madeOrg,
    ]);
  });

  it('tells why a version went that nobody deleted', async () => {
    const chartroom = aChartroom({ deployment: { maxVersionsPerChart: 1 } });
    for (const version of ['1.0.0', '1.1.0']) {
      const { status } = await chartroom.send('POST', '/api/org/charts', {
        body: await aPackage({ version }),
      });
      expect(status).toBe(201);
      chartroom.clock.advance(1000);
    }
    const changes: { action: string }[] = await changesOf(chartroom);
    expect(changes.find(({ action }) => action === 'deleted')).toMatchObject({
      version: '1.0.0',
      by: by('anyone', 'anyone'),
      reason: 'beyond the newest 1',
    });
  });

  it('tells who changed access, and never a password, a secret or a key ring', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const password = 'a long password';
    await put(chartroom, '/-/repositories/org');
    chartroom.clock.advance(1000);
    await put(chartroom, '/-/accounts/ada', { kind: 'user', password, grants: [] });
    chartroom.clock.advance(1000);
    const grants = [{ role: 'reader', on: 'org' }];
    await put(chartroom, '/-/accounts/ada', { kind: 'user', grants });
    chartroom.clock.advance(1000);
    await put(chartroom, '/-/settings/org', { anonymousRead: true });
    chartroom.clock.advance(1000);
    await chartroom.send('DELETE', '/-/accounts/ada', { headers: admin });
    const common = { id: expect.any(String), at: expect.any(String), by: by('admin', 'user') };
    const ofAda = [
      { ...common, action: 'account_deleted', target: 'ada' },
      {
        ...common,
        action: 'account_changed',
        target: 'ada',
        detail: { kind: 'user', grants, grantsBefore: [] },
      },
      {
        ...common,
        action: 'account_created',
        target: 'ada',
        detail: { kind: 'user', grants: [], password: 'set' },
      },
    ];
    const ofOrg = {
      ...common,
      action: 'settings_changed',
      repository: 'org',
      detail: { settings: { anonymousRead: true } },
    };
    expect(await changesOf(chartroom, 'account=ada', admin)).toEqual(ofAda);
    expect(await changesOf(chartroom, 'repository=org', admin)).toEqual([ofOrg, madeOrg]);
    const [deleted, ...others] = ofAda;
    // Who makes the first account is nobody's account.
    const seeded = {
      ...common,
      by: { account: 'chartroom', kind: 'chartroom' },
      action: 'account_created',
      target: 'admin',
      detail: { kind: 'user', grants: [{ role: 'admin', on: '*' }], password: 'set' },
    };
    const all = [deleted, ofOrg, ...others, madeOrg, seeded];
    expect(await changesOf(chartroom, 'account=admin', admin)).toEqual(all);
    expect(await changesOf(chartroom, 'day=2026-01-02', admin)).toEqual(all);
    expect(JSON.stringify(chartroom.audit.changes())).not.toContain(password);
  });

  it('tells nothing of what was refused', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const body = await aPackage();
    await put(chartroom, '/-/repositories/org');
    await chartroom.send('POST', '/api/org/charts', { headers: admin, body });
    const before = await changesOf(chartroom, 'repository=org', admin);
    expect(before).toHaveLength(2);
    for (const headers of [admin, basic('admin', 'wrong')]) {
      await chartroom.send('POST', '/api/org/charts', { headers, body });
      await chartroom.send('DELETE', '/api/org/charts/demo/2.0.0', { headers });
      await chartroom.send('DELETE', '/-/accounts/nobody', { headers });
      await chartroom.send('PUT', '/-/settings/org', { headers, body: '{"nothing":1}' });
    }
    expect(await changesOf(chartroom, 'repository=org', admin)).toEqual(before);
  });

  it('tells who made, deleted and brought back a repository', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const path = '/-/repositories/org';
    await put(chartroom, path);
    // What is there already is no change.
    await put(chartroom, path);
    chartroom.clock.advance(1000);
    await chartroom.send('DELETE', path, { headers: admin });
    await chartroom.send('DELETE', path, { headers: admin });
    chartroom.clock.advance(1000);
    await put(chartroom, path, { restore: true });
    const actions = ['repository_restored', 'repository_deleted', 'repository_created'];
    expect(await changesOf(chartroom, 'repository=org', admin)).toEqual(
      actions.map((action) => ({ ...madeOrg, action })),
    );
  });

  it('is paged', async () => {
    const chartroom = aChartroom();
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
      await chartroom.send('POST', '/api/charts', { body: await aPackage({ version }) });
    }
    const all = await changesOf(chartroom, 'repository=');
    const first = await read(chartroom, 'repository=&limit=2');
    expect(first.body.changes).toEqual(all.slice(0, 2));
    const rest = await read(chartroom, `repository=&limit=2&after=${encodeURIComponent(first.body.next)}`);
    expect(rest.body).toEqual({ changes: all.slice(2) });
    expect((await read(chartroom, 'repository=&limit=3')).body).toEqual({ changes: all });
  });

  it('is bounded by instants', async () => {
    const chartroom = aChartroom();
    await chartroom.send('POST', '/api/charts', { body: await aPackage() });
    const [change] = await changesOf(chartroom, 'repository=');
    const within = async (range: string) => (await read(chartroom, `repository=&${range}`)).body.changes;
    expect(await within('from=2026-01-02')).toEqual([change]);
    expect(await within('from=2026-01-03')).toEqual([]);
    expect(await within('until=2026-01-02T03:04:05Z')).toEqual([]);
    expect(await within('until=2026-01-02T03:04:06Z')).toEqual([change]);
    expect(await within('from=2026-01-03&until=2026-01-01')).toEqual([]);
  });

  it.each([
    ['', 'say of what, and of one alone: repository'],
    ['repository=a&day=2026-01-01', 'say of what, and of one alone: repository'],
    ['repository=a//b', 'cannot be part of a repository'],
    ['account=', 'account is a name'],
    ['day=2026-02-30', 'day is one such as'],
    ['day=2026-01-01T00:00:00Z', 'day is one such as'],
    ['repository=&from=yesterday', 'from is an instant such as'],
    ['repository=&until=2026-02-30', 'until is an instant such as'],
    ['repository=&limit=0', 'limit is a number from 1 to 100'],
    ['repository=&limit=101', 'limit is a number from 1 to 100'],
    ['repository=&after=x', 'after is the "next" of the page before'],
    ['user=ada', '"user" cannot be asked for'],
  ])('refuses "%s"', async (query, says) => {
    const { status, body } = await read(aChartroom(), query);
    expect([status, body.error]).toEqual([400, expect.stringContaining(says)]);
  });
});
