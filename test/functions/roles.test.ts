import { beforeAll, describe, expect, it } from 'vitest';
import { putAccount } from '../../shared/accounts.ts';
import { collect } from '../../shared/async-iteration.ts';
import type { Grant } from '../../shared/domain/access.ts';
import { type Account, parseAccountName } from '../../shared/domain/account.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { deleteRepository, putRepository } from '../../shared/known-repositories.ts';
import { type EndpointRoutes, endpoints, type Route, routes } from '../../shared/routes.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import { aChartroom, adminPassword, basic, type Chartroom, contents } from './chartroom.ts';

const PASSWORD = 'twelve chars';

const org = parseRepository(['org']);

/** The accounts of the matrix; the routes are tried in `org/team/x` as deep as they go, `library` and the root. */
const accounts = {
  reader: [
    { role: 'reader', on: 'org/*' },
    { role: 'reader', on: 'org' },
    { role: 'reader', on: 'library' },
    { role: 'reader', on: '' },
  ],
  publisher: [
    { role: 'publisher', on: 'org/*' },
    { role: 'publisher', on: 'org' },
    { role: 'publisher', on: 'library' },
    { role: 'publisher', on: '' },
  ],
  maintainer: [
    { role: 'maintainer', on: 'org/*' },
    { role: 'maintainer', on: 'org' },
    { role: 'maintainer', on: 'library' },
    { role: 'maintainer', on: '' },
  ],
  'repository-admin': [
    { role: 'admin', on: 'org/*' },
    { role: 'admin', on: 'org' },
    { role: 'admin', on: 'library' },
    { role: 'admin', on: '' },
  ],
  stranger: [
    { role: 'admin', on: 'other/*' },
    { role: 'admin', on: 'organisation' },
    { role: 'admin', on: 'org/team/x/*' },
  ],
  nothing: [],
  'admin-of-all': [{ role: 'admin', on: '*' }],
} as const satisfies Record<string, readonly Grant[]>;

type Who = keyof typeof accounts | 'anonymous' | 'admin' | 'wrong';
const everyone: readonly Who[] = [
  'anonymous',
  'wrong',
  'admin',
  ...(Object.keys(accounts) as (keyof typeof accounts)[]),
];

function headersOf(who: Who): Record<string, string> {
  if (who === 'anonymous') return {};
  if (who === 'admin') return basic('admin', adminPassword);
  return basic(who, who === 'wrong' ? 'wrong' : PASSWORD);
}

/** What the guard says: `pass` to whoever reaches the endpoint. */
type Verdict = 'pass' | 401 | 403 | 404;

/** Written out, and not computed from ranks, so that it says what is meant. */
const inRepository: Record<'read' | 'publish' | 'maintain' | 'administer', Record<Who, Verdict>> = {
  read: {
    anonymous: 401,
    wrong: 401,
    admin: 'pass',
    reader: 'pass',
    publisher: 'pass',
    maintainer: 'pass',
    'repository-admin': 'pass',
    stranger: 404,
    nothing: 404,
    'admin-of-all': 'pass',
  },
  publish: {
    anonymous: 401,
    wrong: 401,
    admin: 'pass',
    reader: 403,
    publisher: 'pass',
    maintainer: 'pass',
    'repository-admin': 'pass',
    stranger: 404,
    nothing: 404,
    'admin-of-all': 'pass',
  },
  maintain: {
    anonymous: 401,
    wrong: 401,
    admin: 'pass',
    reader: 403,
    publisher: 403,
    maintainer: 'pass',
    'repository-admin': 'pass',
    stranger: 404,
    nothing: 404,
    'admin-of-all': 'pass',
  },
  administer: {
    anonymous: 401,
    wrong: 401,
    admin: 'pass',
    reader: 403,
    publisher: 403,
    maintainer: 403,
    'repository-admin': 'pass',
    stranger: 404,
    nothing: 404,
    'admin-of-all': 'pass',
  },
};

function expected({ permission, handler }: Route, who: Who): Verdict {
  if (permission === 'none') return 'pass';
  const { everywhere }: EndpointRoutes = endpoints[handler];
  const isKnown = who !== 'anonymous' && who !== 'wrong';
  if (permission === 'account') return isKnown ? 'pass' : 401;
  // Who may read nothing, and does not say who they are, is asked to say so before they are shown an empty index.
  if (handler === 'get-merged-index' && who === 'anonymous') return 401;
  if (permission === 'anyone') return who === 'wrong' ? 401 : 'pass';
  if (!everywhere) return inRepository[permission][who];
  if (!isKnown) return 401;
  return who === 'admin' || who === 'admin-of-all' ? 'pass' : 403;
}

/** A path that the route matches, where there is something. */
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

const tried = [['org'], ['org', 'team'], ['org', 'team', 'x'], ['library']].map(parseRepository);

/** @param there the repositories that somebody made */
async function closed(there = tried): Promise<Chartroom> {
  const chartroom = aChartroom({ access: 'closed' });
  for (const path of there) await putRepository(chartroom, path, { restore: false, by: somebody });
  const dependencies = { ...chartroom, hashPassword: async (password: string) => `hash of ${password}` };
  for (const [name, grants] of Object.entries(accounts)) {
    await putAccount(
      dependencies,
      parseAccountName(name),
      { kind: 'user', grants, password: PASSWORD },
      somebody,
    );
  }
  return chartroom;
}

/** All that a refused request could have changed. */
async function everything(chartroom: Chartroom): Promise<unknown> {
  const stored: Account[] = [];
  for await (const account of chartroom.accounts.all()) stored.push(account);
  const repositories = await collect(chartroom.knownRepositories.all());
  const { items, objects } = contents(chartroom);
  return { items, objects, stored, repositories, settings: [...chartroom.repositorySettings.known()] };
}

describe('every role on every route', () => {
  const chartrooms: { refusing?: Chartroom } = {};
  beforeAll(async () => {
    chartrooms.refusing = await closed();
  });

  it.each(routes)('$method $path', async (route: Route) => {
    const { method, path } = route;
    const { refusing = await closed() } = chartrooms;
    // The wrong passwords of the routes before would be too many.
    refusing.clock.advance(10 * 60_000);
    const before = await everything(refusing);
    for (const who of everyone) {
      const verdict = expected(route, who);
      // Whoever is let in may change something: each in a Chartroom of their own.
      const chartroom = verdict === 'pass' ? await closed() : refusing;
      const answer = await chartroom.send(method, sample(route), { headers: headersOf(who) });
      const shown = `${who} on ${method} ${path}: ${answer.status} ${answer.body}`;
      if (verdict === 'pass') {
        expect([401, 403], shown).not.toContain(answer.status);
        // An endpoint's own 404 names what is missing.
        if (method !== 'HEAD') expect(answer.body, shown).not.toMatch(/"error":"not found"/);
      } else {
        expect(answer.status, shown).toBe(verdict);
        expect(answer.headers['www-authenticate']).toBe(
          verdict === 401 ? 'Basic realm="Chartroom"' : undefined,
        );
      }
    }
    expect(await everything(refusing)).toEqual(before);
  });
});

/** What says that a repository is not there, to those who may know. */
const absences = [
  {
    what: 'does not exist',
    open: () => closed([]),
    says: (path: string) =>
      `there is no repository ${path}: PUT /-/repositories/${path} makes it${path.includes('/') ? '' : `, and POST /api/v2.0/projects with {"project_name": "${path}"} as a project of Harbor's`}`,
  },
  {
    what: 'was deleted',
    open: async () => {
      const chartroom = await closed();
      for (const path of tried) {
        await chartroom.repositorySettings.put(path, { anonymousRead: true }, anAccessChange());
        await deleteRepository(chartroom, path, somebody);
      }
      return chartroom;
    },
    says: (path: string) =>
      `repository ${path} was deleted at 2026-01-02T03:04:05.678Z: until 2026-01-09T03:04:05.678Z, PUT /-/repositories/${path} with {"restore": true} brings it back`,
  },
];

describe.each(absences)('a repository that $what', ({ what, open, says }) => {
  const inSome = routes.filter(
    ({ path, handler }) => path.includes('{segment1}') && handler !== 'put-repository',
  );

  it.each(inSome)('answers every role on $method $path', async (route: Route) => {
    const chartroom = await open();
    const before = await everything(chartroom);
    const { method, path } = route;
    const [, repository = ''] = /(org(\/team)?(\/x)?)/.exec(sample(route)) ?? [];
    for (const who of everyone) {
      const verdict = expected(route, who);
      const answer = await chartroom.send(method, sample(route), { headers: headersOf(who) });
      const shown = `${who} on ${method} ${path}: ${answer.status} ${answer.body}`;
      expect(answer.status, shown).toBe(verdict === 'pass' ? 404 : verdict);
      if (method === 'HEAD') continue;
      const error = verdict === 'pass' ? says(repository) : 'not found';
      if (answer.status === 404) expect(JSON.parse(answer.body).error, shown).toBe(error);
    }
    expect(await everything(chartroom)).toEqual(before);
  });

  it('is there for who makes it or brings it back, and for nobody else', async () => {
    for (const who of everyone) {
      const chartroom = await open();
      const route = { method: 'PUT', path: '/-/repositories/{segment1}', handler: 'put-repository' } as const;
      const verdict = expected({ ...route, permission: 'administer' }, who);
      const body = JSON.stringify({ restore: what === 'was deleted' });
      const answer = await chartroom.send('PUT', sample(route), { headers: headersOf(who), body });
      const made = what === 'was deleted' ? 200 : 201;
      expect([who, answer.status]).toEqual([who, verdict === 'pass' ? made : verdict]);
      const read = await chartroom.send('GET', '/org/index.yaml', { headers: headersOf('reader') });
      expect([who, read.status]).toEqual([who, verdict === 'pass' ? 200 : 404]);
    }
  });

  it('answers a stranger as a path that there is not', async () => {
    const chartroom = await open();
    const gone = await chartroom.send('GET', '/org/index.yaml', { headers: headersOf('stranger') });
    const nowhere = await chartroom.send('GET', '/no/such/path', { headers: headersOf('stranger') });
    expect(gone).toEqual(nowhere);
  });
});

describe('a repository that may not be read', () => {
  it('answers as a path that there is not', async () => {
    const chartroom = await closed();
    const there = await chartroom.send('GET', '/org/index.yaml', { headers: headersOf('stranger') });
    const nowhere = await chartroom.send('GET', '/no/such/path', { headers: headersOf('stranger') });
    expect(there).toEqual(nowhere);
  });

  it.each([
    'GET /org%2Fteam/index.yaml',
    'GET /other/..%2Forg/index.yaml',
    'POST /api/other%2F..%2Forg/charts',
  ])('is not reached by %s', async (request) => {
    const chartroom = await closed();
    const [method = '', path = ''] = request.split(' ');
    const { status } = await chartroom.send(method, path, { headers: headersOf('stranger') });
    expect(status).toBe(400);
  });
});

describe('anonymous reading', () => {
  const reads = routes
    .filter(({ permission }) => permission === 'read')
    .map((route: Route) => [sample(route), route] as const);
  const inOrg = reads.filter(([path]) => /^(\/api)?\/org\/(charts|index|artifact)/.test(path));

  it.each(inOrg)(
    '%s needs no account where the repository says so, and there alone',
    async (path, { method }) => {
      const chartroom = await closed();
      await chartroom.repositorySettings.put(org, { anonymousRead: true }, anAccessChange());
      const status = async (at: string, headers = {}) =>
        (await chartroom.send(method, at, { headers })).status;
      expect([200, 302, 404]).toContain(await status(path));
      expect(await status(path.replace('/org/', '/org2/'))).toBe(401);
      expect(await status(path, headersOf('wrong'))).toBe(401);
      expect(await status(path, headersOf('nothing'))).toBe(await status(path));
    },
  );

  it('lets nobody publish: 401 without an account, 403 with one that may only read', async () => {
    const chartroom = await closed();
    await chartroom.repositorySettings.put(org, { anonymousRead: true }, anAccessChange());
    const body = await aPackage();
    const publish = async (headers: Record<string, string>) =>
      (await chartroom.send('POST', '/api/org/charts', { headers, body })).status;
    expect(await publish({})).toBe(401);
    expect(await publish(headersOf('nothing'))).toBe(403);
    expect(chartroom.versions.items()).toEqual([]);
  });
});

describe('what is there already', () => {
  it.each([
    {
      who: 'publisher',
      query: '',
      settings: {},
      status: 409,
      says: 'publish a new version, or let a maintainer replace it',
    },
    {
      who: 'publisher',
      query: '?force',
      settings: {},
      status: 403,
      says: 'your account may publish here but not replace',
    },
    {
      who: 'publisher',
      query: '',
      settings: { allowOverwrite: true },
      status: 403,
      says: 'ask for the role maintainer',
    },
    {
      who: 'publisher',
      query: '?force',
      settings: { allowForce: false },
      status: 409,
      says: 'nothing is replaced here',
    },
    { who: 'maintainer', query: '', settings: {}, status: 409, says: 'or pass ?force to replace it' },
    { who: 'maintainer', query: '?force', settings: {}, status: 201, says: 'saved' },
    { who: 'maintainer', query: '', settings: { allowOverwrite: true }, status: 201, says: 'saved' },
    {
      who: 'maintainer',
      query: '?force',
      settings: { allowForce: false },
      status: 409,
      says: 'nothing is replaced here',
    },
    { who: 'repository-admin', query: '?force', settings: {}, status: 201, says: 'saved' },
    { who: 'publisher', query: '?force', settings: { publishersReplace: true }, status: 201, says: 'saved' },
    {
      who: 'publisher',
      query: '',
      settings: { allowOverwrite: true, publishersReplace: true },
      status: 201,
      says: 'saved',
    },
    {
      who: 'publisher',
      query: '',
      settings: { publishersReplace: true },
      status: 409,
      says: 'or pass ?force to replace it',
    },
    {
      who: 'publisher',
      query: '?force',
      settings: { allowForce: false, publishersReplace: true },
      status: 409,
      says: 'nothing is replaced here',
    },
    {
      who: 'reader',
      query: '?force',
      settings: { allowOverwrite: true, publishersReplace: true },
      status: 403,
      says: 'needs the role publisher',
    },
  ] as const)('$who with "$query" and $settings: $status', async ({ who, query, settings, status, says }) => {
    const chartroom = await closed();
    const publish = async (headers: Record<string, string>, description: string) =>
      await chartroom.send('POST', `/api/org/charts${query}`, {
        headers,
        body: await aPackage({ description }),
      });
    // A new version needs no right to replace, whatever the request says.
    expect((await publish(headersOf('publisher'), 'first')).status).toBe(201);
    await chartroom.repositorySettings.put(org, settings, anAccessChange());
    const before = contents(chartroom);
    const answer = await publish(headersOf(who), 'second');
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(says)]);
    if (status !== 201) expect(contents(chartroom)).toEqual(before);
  });

  it.each([
    { publishersReplace: false, status: 403 },
    { publishersReplace: true, status: 201 },
  ])('of a provenance file, with publishersReplace $publishersReplace: $status', async (settings) => {
    const chartroom = await closed();
    const prov = aProvenance(await aPackage());
    const publish = async (query: string) =>
      (await chartroom.send('POST', `/api/org/prov${query}`, { headers: headersOf('publisher'), body: prov }))
        .status;
    expect(await publish('')).toBe(201);
    const { publishersReplace } = settings;
    await chartroom.repositorySettings.put(org, { publishersReplace }, anAccessChange());
    const before = contents(chartroom);
    expect(await publish('?force')).toBe(settings.status);
    if (!publishersReplace) expect(contents(chartroom)).toEqual(before);
  });

  it('is replaced through the bucket as whoever asked for the upload may', async () => {
    const chartroom = await closed();
    const mayReplace = async (who: Who) => {
      const { body } = await chartroom.send('POST', '/api/org/uploads?force', { headers: headersOf(who) });
      return (await chartroom.uploads.get(org, JSON.parse(body).id))?.mayReplace;
    };
    expect(await mayReplace('publisher')).toBe(false);
    expect(await mayReplace('maintainer')).toBe(true);
  });
});
