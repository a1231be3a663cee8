import { describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { aChartroom, adminPassword, basic, type Chartroom, refusal } from './chartroom.ts';

const admin = basic('admin', adminPassword);
const now = '2026-01-02T03:04:05.678Z';

/** Sends JSON as the admin. */
async function send(chartroom: Chartroom, method: string, path: string, value?: unknown) {
  const body = value === undefined ? {} : { body: JSON.stringify(value) };
  const { status, headers, body: text } = await chartroom.send(method, path, { headers: admin, ...body });
  return { status, headers, body: JSON.parse(text) };
}

const closed = () => aChartroom({ access: 'closed' });
const grants = [{ role: 'publisher', on: 'org/*' }];
const robot = { kind: 'robot', grants };
const user = { kind: 'user', password: 'twelve chars', grants };

async function aRobot(chartroom: Chartroom, name = 'ci', expiresInDays = 90) {
  await send(chartroom, 'PUT', `/-/accounts/${name}`, robot);
  const { body } = await send(chartroom, 'POST', `/-/accounts/${name}/secrets`, { expiresInDays });
  return { ...body, headers: basic(name, body.secret) };
}

const whoami = async (chartroom: Chartroom, headers: Record<string, string>) =>
  await chartroom.send('GET', '/-/whoami', { headers });

describe('PUT /-/accounts/{account}', () => {
  it('makes a user, who is known by the password', async () => {
    const chartroom = closed();
    const shown = { name: 'ada', kind: 'user', grants, created: now };
    expect(await send(chartroom, 'PUT', '/-/accounts/ada', user)).toMatchObject({ status: 201, body: shown });
    const { status, body } = await whoami(chartroom, basic('ada', 'twelve chars'));
    expect([status, JSON.parse(body)]).toEqual([200, { name: 'ada', kind: 'user', grants }]);
    expect((await whoami(chartroom, basic('ada', 'twelve char'))).status).toBe(401);
  });

  it('changes what a user may do, and keeps the password unless one is sent', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/accounts/ada', user);
    const reader = [{ role: 'reader', on: '' }];
    const changed = await send(chartroom, 'PUT', '/-/accounts/ada', { kind: 'user', grants: reader });
    expect(changed).toMatchObject({ status: 200, body: { grants: reader, created: now } });
    const { body } = await whoami(chartroom, basic('ada', 'twelve chars'));
    expect(JSON.parse(body)).toMatchObject({ grants: reader });
    await send(chartroom, 'PUT', '/-/accounts/ada', { ...user, password: 'another word' });
    chartroom.clock.advance(60_000);
    expect((await whoami(chartroom, basic('ada', 'twelve chars'))).status).toBe(401);
    expect((await whoami(chartroom, basic('ada', 'another word'))).status).toBe(200);
  });

  it('changes what a robot may do, and keeps its secrets', async () => {
    const chartroom = closed();
    const { id, headers } = await aRobot(chartroom);
    const changed = await send(chartroom, 'PUT', '/-/accounts/ci', { kind: 'robot' });
    expect(changed).toMatchObject({ status: 200, body: { grants: [], secrets: [{ id }] } });
    expect((await whoami(chartroom, headers)).status).toBe(200);
  });

  it.each([
    {
      why: 'no JSON',
      name: 'ada',
      sent: undefined,
      says: 'the body is no JSON: send the account as a JSON object',
    },
    { why: 'no object', name: 'ada', sent: null, says: '"kind" must be "user" or "robot"' },
    { why: 'no kind', name: 'ada', sent: { grants }, says: '"kind" must be "user" or "robot"' },
    { why: 'an unknown key', name: 'ada', sent: { ...user, admin: true }, says: 'and no "admin"' },
    {
      why: 'a new user without a password',
      name: 'ada',
      sent: { kind: 'user' },
      says: 'send a "password" with it',
    },
    {
      why: 'a short password',
      name: 'ada',
      sent: { ...user, password: 'eleven char' },
      says: 'at least 12 characters',
    },
    {
      why: 'a long password',
      name: 'ada',
      sent: { ...user, password: 'é'.repeat(129) },
      says: 'at most 256 bytes',
    },
    {
      why: 'a password that is no text',
      name: 'ada',
      sent: { ...user, password: 1 },
      says: '"password" must be a text',
    },
    {
      why: 'a robot with a password',
      name: 'ci',
      sent: { ...user, kind: 'robot' },
      says: 'POST …/secrets makes a secret',
    },
    {
      why: 'grants that are no list',
      name: 'ci',
      sent: { kind: 'robot', grants: {} },
      says: '"grants" must be a list',
    },
    {
      why: 'too many grants',
      name: 'ci',
      sent: { kind: 'robot', grants: Array(51).fill(grants[0]) },
      says: 'at most 50',
    },
    {
      why: 'a role nobody knows',
      name: 'ci',
      sent: { kind: 'robot', grants: [{ role: 'owner', on: '*' }] },
      says: 'a grant has "role" (reader,',
    },
    {
      why: 'a grant on nothing',
      name: 'ci',
      sent: { kind: 'robot', grants: [{ role: 'reader' }] },
      says: 'a grant has "role"',
    },
    {
      why: 'a grant of more',
      name: 'ci',
      sent: { kind: 'robot', grants: [{ role: 'reader', on: '*', until: 1 }] },
      says: 'and nothing else',
    },
    {
      why: 'a grant that is null',
      name: 'ci',
      sent: { kind: 'robot', grants: [null] },
      says: 'a grant has "role"',
    },
    {
      why: 'a pattern in the middle',
      name: 'ci',
      sent: { kind: 'robot', grants: [{ role: 'reader', on: 'a/*/b' }] },
      says: '"*" cannot be part of a repository',
    },
    {
      why: 'a slash in front',
      name: 'ci',
      sent: { kind: 'robot', grants: [{ role: 'reader', on: '/org' }] },
      says: '"" cannot be part',
    },
    {
      why: 'four segments',
      name: 'ci',
      sent: { kind: 'robot', grants: [{ role: 'reader', on: 'a/b/c/d' }] },
      says: 'at most 3 segments',
    },
    {
      why: 'an admin who is none',
      name: 'admin',
      sent: user,
      says: 'admin stays a user with the role admin on "*"',
    },
    {
      why: 'an admin of less than everything',
      name: 'admin',
      sent: { ...user, grants: [{ role: 'admin', on: 'org/*' }] },
      says: 'so that somebody can always let others in',
    },
    {
      why: 'an admin who is a robot',
      name: 'admin',
      sent: { kind: 'robot', grants: [{ role: 'admin', on: '*' }] },
      says: 'admin stays a user',
    },
    {
      why: 'a name that the audit tells of others by',
      name: 'anyone',
      sent: user,
      says: '"anyone" is a name of the deployment itself',
    },
    { why: 'a name in upper case', name: 'Ada', sent: user, says: '"Ada" cannot name an account' },
    { why: 'a name of 65 characters', name: 'a'.repeat(65), sent: user, says: 'cannot name an account' },
    { why: 'a user with a robot’s name', name: 'org+ada', sent: user, says: 'can only name a robot' },
    { why: 'a name with nothing before the +', name: '+ci', sent: robot, says: 'cannot name an account' },
    { why: 'a name as Basic has it', name: 'robot$ci', sent: robot, says: 'cannot name an account' },
    { why: 'a name with a colon', name: 'a:b', sent: user, says: 'cannot name an account' },
  ])('refuses $why, and stores nothing', async ({ name, sent, says }) => {
    const chartroom = closed();
    const { body: before } = await send(chartroom, 'GET', '/-/accounts');
    const { status, body } = await send(chartroom, 'PUT', `/-/accounts/${name}`, sent);
    expect([status, body.error]).toEqual([400, expect.stringContaining(says)]);
    expect((await send(chartroom, 'GET', '/-/accounts')).body).toEqual(before);
  });

  it('makes no robot of a user, nor a user of a robot', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/accounts/ada', user);
    const { status, body } = await send(chartroom, 'PUT', '/-/accounts/ada', robot);
    expect([status, body.error]).toEqual([400, 'ada is a user: delete it first, or take another name']);
    expect((await send(chartroom, 'GET', '/-/accounts/ada')).body.kind).toBe('user');
  });

  it('loses no secret that is made at the same time', async () => {
    const chartroom = closed();
    await aRobot(chartroom);
    const changes = Array.from({ length: 3 }, () => [
      send(chartroom, 'PUT', '/-/accounts/ci', robot),
      send(chartroom, 'POST', '/-/accounts/ci/secrets', { expiresInDays: 1 }),
    ]);
    const statuses = (await Promise.all(changes.flat())).map(({ status }) => status);
    const made = statuses.filter((status) => status === 201).length;
    expect(statuses.filter((status) => ![200, 201, 503].includes(status ?? 0))).toEqual([]);
    expect((await send(chartroom, 'GET', '/-/accounts/ci')).body.secrets).toHaveLength(1 + made);
  });
});

describe('a robot of a project, as Harbor names it', () => {
  it.each(['org+ci', 'org%2Bci', 'org%2bci'])('is one account, by the path %s too', async (path) => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/accounts/orgci', robot);
    const { headers } = await aRobot(chartroom, 'org+ci');
    const shown = { name: 'org+ci', kind: 'robot', grants };
    expect((await send(chartroom, 'GET', `/-/accounts/${path}`)).body).toMatchObject(shown);
    const made = await send(chartroom, 'POST', `/-/accounts/${path}/secrets`, { expiresInDays: 1 });
    expect(made.status).toBe(201);
    for (const known of [headers, basic('robot$org+ci', made.body.secret)]) {
      const { status, body } = await whoami(chartroom, known);
      expect([status, JSON.parse(body)]).toEqual([200, shown]);
    }
    const removed = await send(chartroom, 'DELETE', `/-/accounts/${path}/secrets/${made.body.id}`);
    expect(removed.status).toBe(200);
    expect((await send(chartroom, 'DELETE', `/-/accounts/${path}`)).status).toBe(200);
    expect((await send(chartroom, 'GET', '/-/accounts')).body.accounts).toMatchObject([
      { name: 'admin' },
      { name: 'orgci' },
    ]);
  });

  it.each(['org+ci', 'org%2Bci'])('is found by a query for %s', async (asked) => {
    const chartroom = closed();
    for (const name of ['org', 'org+ci', 'org.ci'])
      await send(chartroom, 'PUT', `/-/accounts/${name}`, robot);
    const page = await send(chartroom, 'GET', `/-/accounts?after=${asked}`);
    expect(page.body.accounts).toMatchObject([{ name: 'org.ci' }]);
    const audited = await send(chartroom, 'GET', `/-/audit?account=${asked}`);
    expect(audited.body.changes).toMatchObject([{ action: 'account_created', target: 'org+ci' }]);
  });

  it('publishes as its grants say, under either name, and the audit knows one', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/repositories/org/team');
    const { secret } = await aRobot(chartroom, 'org+ci');
    chartroom.clock.advance(1000);
    for (const [version, name] of [
      ['1.0.0', 'org+ci'],
      ['1.1.0', 'robot$org+ci'],
    ] as const) {
      const sent = { headers: basic(name, secret), body: await aPackage({ version }) };
      expect((await chartroom.send('POST', '/api/org/team/charts', sent)).status).toBe(201);
      expect((await chartroom.send('POST', '/api/org/team/charts?force', sent)).status).toBe(403);
    }
    await chartroom.send('GET', '/org/team/index.yaml', { headers: admin });
    const { body } = await send(chartroom, 'GET', '/-/audit?repository=org/team&limit=2');
    const by = { account: 'org+ci', kind: 'robot' };
    expect(body.changes).toMatchObject([
      { action: 'published', by },
      { action: 'published', by },
    ]);
  });
});

describe('GET /-/accounts', () => {
  it('lists by name, a page at a time, and never a hash', async () => {
    const chartroom = closed();
    for (const name of ['c', 'a', 'd', 'b']) await send(chartroom, 'PUT', `/-/accounts/${name}`, user);
    await aRobot(chartroom, 'e');
    const page = async (query: string) => (await send(chartroom, 'GET', `/-/accounts${query}`)).body;
    const names = ({ accounts }: { accounts: { name: string }[] }) => accounts.map(({ name }) => name);
    const first = await page('?limit=3');
    expect([names(first), first.next]).toEqual([['a', 'admin', 'b'], 'b']);
    const second = await page('?limit=2&after=b');
    expect([names(second), second.next]).toEqual([['c', 'd'], 'd']);
    expect(await page('?limit=2&after=d')).toEqual({
      accounts: [
        {
          name: 'e',
          kind: 'robot',
          grants,
          created: now,
          secrets: [{ id: expect.any(String), created: now, expires: '2026-04-02T03:04:05.678Z' }],
        },
      ],
    });
    const all = await page('');
    expect([names(all), all.next]).toEqual([['a', 'admin', 'b', 'c', 'd', 'e'], undefined]);
    expect(JSON.stringify(all)).not.toMatch(/hash|digest|twelve/);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'limit=', 'after=A'])('refuses ?%s', async (query) => {
    expect((await send(closed(), 'GET', `/-/accounts?${query}`)).status).toBe(400);
  });
});

describe('GET and DELETE /-/accounts/{account}', () => {
  it('show one, and remove it', async () => {
    const chartroom = closed();
    const { headers } = await aRobot(chartroom);
    expect((await send(chartroom, 'GET', '/-/accounts/ci')).body).toMatchObject({ name: 'ci', grants });
    const deleted = await send(chartroom, 'DELETE', '/-/accounts/ci');
    expect([deleted.status, deleted.body]).toEqual([200, { deleted: true }]);
    expect((await whoami(chartroom, headers)).status).toBe(401);
  });

  it.each(['GET', 'DELETE'])('%s answers 404 where there is none', async (method) => {
    expect(await send(closed(), method, '/-/accounts/ci')).toMatchObject({
      status: 404,
      body: { error: 'there is no account ci: PUT /-/accounts/ci makes it' },
    });
  });
});

describe('the account that a deployment begins with', () => {
  const isAdmin = { kind: 'user', grants: [{ role: 'admin', on: '*' }] };

  it('takes another password, and is shown as any other', async () => {
    const chartroom = closed();
    expect((await send(chartroom, 'GET', '/-/accounts/admin')).body).toEqual({
      ...isAdmin,
      name: 'admin',
      created: now,
    });
    const changed = await send(chartroom, 'PUT', '/-/accounts/admin', {
      ...isAdmin,
      password: 'another word',
    });
    expect(changed.status).toBe(200);
    chartroom.clock.advance(60_000);
    expect((await whoami(chartroom, admin)).status).toBe(401);
    expect((await whoami(chartroom, basic('admin', 'another word'))).status).toBe(200);
  });

  it('is not deleted', async () => {
    const chartroom = closed();
    const { status, body } = await send(chartroom, 'DELETE', '/-/accounts/admin');
    expect([status, body.error]).toEqual([400, expect.stringContaining('PUT gives it a password')]);
    chartroom.clock.advance(60_000);
    expect((await whoami(chartroom, admin)).status).toBe(200);
  });
});

describe('the secrets of a robot', () => {
  it('are shown once, work until they expire, and overlap', async () => {
    const chartroom = closed();
    const first = await aRobot(chartroom);
    expect(Buffer.from(first.secret, 'base64url')).toHaveLength(32);
    expect(first.expires).toBe('2026-04-02T03:04:05.678Z');
    const made = await send(chartroom, 'POST', '/-/accounts/ci/secrets', { expiresInDays: 1 });
    expect(made).toMatchObject({ status: 201, headers: { 'cache-control': 'no-store' } });
    const second = basic('ci', made.body.secret);
    for (const headers of [first.headers, second])
      expect((await whoami(chartroom, headers)).status).toBe(200);
    chartroom.clock.advance(24 * 60 * 60 * 1000 - 1);
    expect((await whoami(chartroom, second)).status).toBe(200);
    chartroom.clock.advance(1);
    expect((await whoami(chartroom, second)).status).toBe(401);
    expect((await whoami(chartroom, first.headers)).status).toBe(200);
  });

  it('end when they are deleted, one by one', async () => {
    const chartroom = closed();
    const { id, headers } = await aRobot(chartroom);
    const other = await send(chartroom, 'POST', '/-/accounts/ci/secrets', { expiresInDays: 1 });
    expect((await send(chartroom, 'DELETE', `/-/accounts/ci/secrets/${id}`)).body).toEqual({ deleted: true });
    expect((await whoami(chartroom, headers)).status).toBe(401);
    expect((await whoami(chartroom, basic('ci', other.body.secret))).status).toBe(200);
    expect((await send(chartroom, 'DELETE', `/-/accounts/ci/secrets/${id}`)).status).toBe(404);
  });

  it('tell when they were used, to the hour', async () => {
    const chartroom = closed();
    const { headers } = await aRobot(chartroom);
    const lastUsed = async () => (await send(chartroom, 'GET', '/-/accounts/ci')).body.secrets[0].lastUsed;
    expect(await lastUsed()).toBeUndefined();
    await whoami(chartroom, headers);
    expect(await lastUsed()).toBe(now);
    chartroom.clock.advance(59 * 60_000);
    await whoami(chartroom, headers);
    expect(await lastUsed()).toBe(now);
    chartroom.clock.advance(60_000);
    await whoami(chartroom, headers);
    expect(await lastUsed()).toBe('2026-01-02T04:04:05.678Z');
  });

  it('are ten at most; those that expired make room', async () => {
    const chartroom = closed();
    await aRobot(chartroom, 'ci', 1);
    const more = () => send(chartroom, 'POST', '/-/accounts/ci/secrets', { expiresInDays: 1 });
    for (let count = 2; count <= 10; count += 1) expect((await more()).status).toBe(201);
    expect(await more()).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining('delete one') },
    });
    chartroom.clock.advance(24 * 60 * 60 * 1000);
    expect((await more()).status).toBe(201);
    expect((await send(chartroom, 'GET', '/-/accounts/ci')).body.secrets).toHaveLength(1);
  });

  it.each([
    {},
    { expiresInDays: 0 },
    { expiresInDays: 366 },
    { expiresInDays: '9' },
    { expiresInDays: 1.5 },
    null,
    { expiresInDays: 1, name: 'x' },
  ])('are not made for %j', async (sent) => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/accounts/ci', robot);
    expect((await send(chartroom, 'POST', '/-/accounts/ci/secrets', sent)).status).toBe(400);
    expect((await send(chartroom, 'GET', '/-/accounts/ci')).body.secrets).toEqual([]);
  });

  it('are for robots alone, and for those that there are', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/accounts/ada', user);
    const path = (name: string) => `/-/accounts/${name}/secrets`;
    expect((await send(chartroom, 'POST', path('ada'), { expiresInDays: 1 })).status).toBe(400);
    expect((await send(chartroom, 'POST', path('ci'), { expiresInDays: 1 })).status).toBe(404);
  });
});

describe('credentials', () => {
  it('are remembered for a minute, so a change comes into force after that at the latest', async () => {
    const chartroom = closed();
    const { headers } = await aRobot(chartroom);
    await whoami(chartroom, headers);
    await send(chartroom, 'PUT', '/-/accounts/ci', { kind: 'robot' });
    const granted = async () => JSON.parse((await whoami(chartroom, headers)).body).grants;
    chartroom.clock.advance(59_999);
    expect(await granted()).toEqual(grants);
    chartroom.clock.advance(1);
    expect(await granted()).toEqual([]);
  });

  it('that are wrong get one answer, whatever is wrong', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/accounts/ada', user);
    await aRobot(chartroom);
    const wrong = [
      basic('ada', 'wrong'),
      basic('ci', 'wrong'),
      basic('nobody', 'x'),
      basic('No Name', 'x'),
      basic('admin', 'x'),
    ];
    for (const headers of wrong) {
      const { status, body } = await whoami(chartroom, headers);
      expect([status, body]).toEqual([
        401,
        refusal('UNAUTHORIZED', 'unauthorized: wrong user name or password'),
      ]);
    }
  });

  it('of nobody are asked for by /-/whoami, unless access is open', async () => {
    expect((await whoami(closed(), {})).status).toBe(401);
    const { body } = await whoami(aChartroom(), {});
    expect(JSON.parse(body)).toEqual({ kind: 'anyone', grants: [{ role: 'admin', on: '*' }] });
    const asAdmin = JSON.parse((await whoami(closed(), admin)).body);
    expect(asAdmin).toEqual({ name: 'admin', kind: 'user', grants: [{ role: 'admin', on: '*' }] });
  });
});
