import { describe, expect, it, vi } from 'vitest';
import { putAccount } from '../../shared/accounts.ts';
import { parseAccountName } from '../../shared/domain/account.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { putRepository } from '../../shared/known-repositories.ts';
import { type EndpointRoutes, endpoints, type Route, routes } from '../../shared/routes.ts';
import type { TokenSettings } from '../../shared/token-credentials.ts';
import { watchLog } from '../log-lines.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import { accessTo, anRsaKey, aToken, audience, issuer } from '../tokens.ts';
import { aChartroom, adminPassword, basic, type Chartroom, contents } from './chartroom.ts';

const key = anRsaKey();
const realm = 'https://login.example.com/token';

const aChartroomWithTokens = (changes: Partial<TokenSettings> = {}) =>
  aChartroom({
    access: 'closed',
    tokens: {
      issuer,
      audience,
      realm,
      algorithms: ['RS256'],
      keys: [{ kty: 'RSA', ...key.publicKey.export({ format: 'jwk' }) }],
      ...changes,
    },
  });

const tokenFor = ({ clock }: Chartroom, ...access: readonly unknown[]) =>
  aToken(key, { access }, { now: clock.now() });
const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

/** In every repository that a sample path below names. */
const on = (...actions: readonly string[]) =>
  ['repo', 'org', 'org/team', 'org/team/x', 'library'].map((name) => accessTo(name, ...actions));

const bearers = {
  puller: on('pull'),
  pusher: on('push'),
  deleter: on('push', 'delete'),
  everything: on('pull', 'push', 'delete', 'admin', '*'),
  elsewhere: [
    accessTo('other', 'push', 'delete'),
    accessTo('*', 'push', 'delete'),
    accessTo('org/*', 'push'),
  ],
  nothing: [],
};
type Who = keyof typeof bearers;

/** No token is ever an admin. */
const inRepository: Record<
  'read' | 'publish' | 'maintain' | 'administer',
  Record<Who, 'pass' | 403 | 404>
> = {
  read: { puller: 'pass', pusher: 'pass', deleter: 'pass', everything: 'pass', elsewhere: 404, nothing: 404 },
  publish: { puller: 403, pusher: 'pass', deleter: 'pass', everything: 'pass', elsewhere: 404, nothing: 404 },
  maintain: { puller: 403, pusher: 403, deleter: 'pass', everything: 'pass', elsewhere: 404, nothing: 404 },
  administer: { puller: 403, pusher: 403, deleter: 403, everything: 403, elsewhere: 404, nothing: 404 },
};

function expected({ permission, handler }: Route, who: Who): 'pass' | 403 | 404 {
  if (permission === 'none' || permission === 'anyone' || permission === 'account') return 'pass';
  const { everywhere }: EndpointRoutes = endpoints[handler];
  return everywhere ? 403 : inRepository[permission][who];
}

const sample = ({ path }: Pick<Route, 'path'>) =>
  path
    .replace('{segment1}', 'org')
    .replace('{segment2}', 'team')
    .replace('{segment3}', 'x')
    .replace('{file}', 'demo-1.0.0.tgz')
    .replace('{name}', 'demo')
    .replace('{version}', '1.0.0')
    .replace('{project}', 'org')
    .replace('{member}', '1')
    .replace('{account}', 'somebody')
    .replace('{id}', 'some-id');

describe('every token on every route', () => {
  it.each(routes)('$method $path', async (route: Route) => {
    const { method, path } = route;
    for (const who of Object.keys(bearers) as Who[]) {
      const verdict = expected(route, who);
      const chartroom = aChartroomWithTokens();
      const before = contents(chartroom);
      const headers = bearing(await tokenFor(chartroom, ...bearers[who]));
      const answer = await chartroom.send(method, sample(route), { headers });
      const shown = `${who} on ${method} ${path}: ${answer.status} ${answer.body}`;
      if (verdict === 'pass') {
        expect([401, 403], shown).not.toContain(answer.status);
        if (method !== 'HEAD') expect(answer.body, shown).not.toMatch(/"error":"not found"/);
      } else {
        expect(answer.status, shown).toBe(verdict);
        expect(contents(chartroom)).toEqual(before);
      }
    }
  });
});

describe('a token', () => {
  it.each([
    { way: 'Bearer', headers: (token: string) => ({ authorization: `Bearer ${token}` }) },
    { way: 'bearer, and blanks', headers: (token: string) => ({ authorization: `bearer   ${token} ` }) },
    { way: 'nothing before it', headers: (token: string) => ({ authorization: token }) },
    { way: 'HTTP Basic', headers: (token: string) => basic('anything', token) },
    { way: 'HTTP Basic without a name', headers: (token: string) => basic('', token) },
    { way: 'HTTP Basic as admin, who it is not', headers: (token: string) => basic('admin', token) },
  ])('comes with $way', async ({ headers }) => {
    const chartroom = aChartroomWithTokens();
    const token = await tokenFor(chartroom, accessTo('org', 'pull'));
    const { status, body } = await chartroom.send('GET', '/-/whoami', { headers: headers(token) });
    expect([status, JSON.parse(body)]).toEqual([
      200,
      { name: 'ci', kind: 'token', grants: [{ role: 'reader', on: 'org' }] },
    ]);
  });

  it.each([
    { way: 'Bearer', headers: bearing },
    { way: 'HTTP Basic', headers: (token: string) => basic('admin', token) },
  ])('that is not taken is refused by $way, and stores nothing', async ({ headers }) => {
    const chartroom = aChartroomWithTokens();
    await chartroom.repositorySettings.put(
      parseRepository(['org']),
      { anonymousRead: true },
      anAccessChange(),
    );
    const before = contents(chartroom);
    const claims = { access: [accessTo('org', 'push')], exp: chartroom.clock.now() / 1000 - 1 };
    const token = await aToken(key, claims, { now: chartroom.clock.now() });
    const body = await aPackage();
    const published = await chartroom.send('POST', '/api/org/charts', { headers: headers(token), body });
    expect([published.status, published.body]).toEqual([401, expect.stringContaining('it has expired')]);
    expect(contents(chartroom)).toEqual(before);
    // Whoever says who they are wrongly is not somebody who does not say.
    expect((await chartroom.send('GET', '/org/index.yaml', { headers: headers(token) })).status).toBe(401);
  });

  it.each([
    { actions: ['push'], query: '?force', status: 403 },
    { actions: ['push', 'delete'], query: '?force', status: 201 },
  ])('with $actions replaces what is there: $status', async ({ actions, query, status }) => {
    const chartroom = aChartroomWithTokens();
    await putRepository(chartroom, parseRepository(['org']), { restore: false, by: somebody });
    const headers = bearing(await tokenFor(chartroom, accessTo('org', ...actions)));
    const publish = async (description: string) =>
      await chartroom.send('POST', `/api/org/charts${query}`, {
        headers,
        body: await aPackage({ description }),
      });
    expect((await publish('first')).status).toBe(201);
    expect((await publish('second')).status).toBe(status);
  });

  it('is found in the audit by its name, blanks and all', async () => {
    const chartroom = aChartroomWithTokens();
    await putRepository(chartroom, parseRepository(['org']), { restore: false, by: somebody });
    const claims = { sub: 'Ada Lovelace', access: [accessTo('org', 'push')] };
    const headers = bearing(await aToken(key, claims, { now: chartroom.clock.now() }));
    await chartroom.send('POST', '/api/org/charts', { headers, body: await aPackage() });
    await chartroom.send('GET', '/org/index.yaml', { headers });
    for (const asked of ['Ada+Lovelace', 'Ada%20Lovelace']) {
      const admin = basic('admin', adminPassword);
      const { body } = await chartroom.send('GET', `/-/audit?account=${asked}`, { headers: admin });
      expect(JSON.parse(body).changes).toMatchObject([{ by: { account: 'Ada Lovelace', kind: 'token' } }]);
    }
  });

  it('is told by name which role it lacks', async () => {
    const chartroom = aChartroomWithTokens();
    const headers = bearing(await tokenFor(chartroom, accessTo('org', 'pull')));
    const { body } = await chartroom.send('DELETE', '/api/org/charts/demo', { headers });
    expect(JSON.parse(body)).toMatchObject({ error: 'forbidden: ci needs the role maintainer on org' });
  });

  it('is neither logged nor shown when the keys of its issuer cannot be had', async () => {
    const log = watchLog();
    // Port 0: nobody ever listens there.
    const chartroom = aChartroomWithTokens({ keys: 'http://127.0.0.1:0/jwks.json' });
    const token = await tokenFor(chartroom, accessTo('org', 'pull'));
    for (const headers of [bearing(token), basic('ci', token)]) {
      const { status, body } = await chartroom.send('GET', '/org/index.yaml', { headers });
      expect([status, JSON.parse(body)]).toMatchObject([
        500,
        { error: expect.stringContaining('internal error') },
      ]);
    }
    const lines = log.text();
    vi.restoreAllMocks();
    expect(lines).toContain('a request failed');
    for (const part of token.split('.')) expect(lines).not.toContain(part);
  });

  it('takes nothing from those who have a password, even one with dots', async () => {
    const chartroom = aChartroomWithTokens();
    const password = 'three.parts.each';
    const hashPassword = async (text: string) => `hash of ${text}`;
    const wish = { kind: 'user', grants: [], password } as const;
    await putAccount({ ...chartroom, hashPassword }, parseAccountName('ada'), wish, somebody);
    for (const headers of [basic('ada', password), basic('admin', adminPassword)]) {
      expect((await chartroom.send('GET', '/-/whoami', { headers })).status).toBe(200);
    }
  });
});

describe('a 401', () => {
  const bearer = `Bearer realm="${realm}",service="${audience}"`;
  it.each([
    { request: 'GET /index.yaml', scope: 'artifact-repository:repo:pull' },
    { request: 'GET /org/team/index.yaml', scope: 'artifact-repository:org/team:pull' },
    { request: 'POST /api/org/charts', scope: 'artifact-repository:org:push' },
    { request: 'DELETE /api/org/charts/demo', scope: 'artifact-repository:org:push,delete' },
    { request: 'PUT /-/settings/org', scope: undefined },
    { request: 'GET /-/accounts', scope: undefined },
    { request: 'GET /-/whoami', scope: undefined },
    { request: 'GET /chartrepo/index.yaml', scope: undefined },
    { request: 'POST /api/"%0A/charts', scope: undefined },
  ])('to $request asks for a token with $scope, and for Basic first', async ({ request, scope }) => {
    const [method = '', path = ''] = request.split(' ');
    for (const headers of [{}, bearing('x.y.z')]) {
      const answer = await aChartroomWithTokens().send(method, path, { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([
        401,
        `Basic realm="Chartroom", ${bearer}${scope === undefined ? '' : `,scope="${scope}"`}`,
      ]);
    }
  });

  it.each([
    { takes: 'tokens', chartroom: aChartroomWithTokens, ending: ', or a bearer token' },
    { takes: 'none', chartroom: () => aChartroom({ access: 'closed' }), ending: '' },
  ])('says in words what would do: $takes', async ({ chartroom, ending }) => {
    const { body } = await chartroom().send('GET', '/org/index.yaml');
    const error = `unauthorized: send a user name and password by HTTP Basic${ending}`;
    expect(JSON.parse(body)).toMatchObject({ error });
    const headers = basic('admin', 'wrong');
    const wrong = await chartroom().send('GET', '/org/index.yaml', { headers });
    expect(JSON.parse(wrong.body)).toMatchObject({ error: 'unauthorized: wrong user name or password' });
  });

  it('asks for no token where none is taken', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const token = await tokenFor(chartroom, accessTo('org', 'pull'));
    for (const headers of [{}, bearing(token), { authorization: token }, basic('ci', token)]) {
      const answer = await chartroom.send('GET', '/org/index.yaml', { headers });
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Basic realm="Chartroom"']);
    }
  });
});
