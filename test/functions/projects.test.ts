import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import { currentIndex } from '../../shared/current-index.ts';
import type { Grant } from '../../shared/domain/access.ts';
import { parseAccountName } from '../../shared/domain/account.ts';
import { numberOf } from '../../shared/domain/project.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { aPackage } from '../packages.ts';
import { aChartroom, adminPassword, basic, type Chartroom, refusal } from './chartroom.ts';

const admin = basic('admin', adminPassword);
const created = '2026-01-02T03:04:05.678Z';
const DAY = 24 * 60 * 60 * 1000;
const org = parseRepository(['org']);
const PROJECTS = '/api/v2.0/projects';
const password = 'twelve chars';

const closed = () => aChartroom({ access: 'closed' });

type As = Readonly<Record<string, string>>;

async function send(chartroom: Chartroom, method: string, path: string, value?: unknown, as: As = admin) {
  const body = value === undefined ? {} : { body: JSON.stringify(value) };
  const answer = await chartroom.send(method, path, { headers: as, ...body });
  return { ...answer, json: answer.body === '' ? undefined : JSON.parse(answer.body) };
}

async function create(chartroom: Chartroom, name = 'org', others: object = {}, as: As = admin) {
  return await send(chartroom, 'POST', PROJECTS, { project_name: name, ...others }, as);
}

async function publish(chartroom: Chartroom, name = 'demo', repository = 'org') {
  const headers = { ...admin, 'content-type': 'application/octet-stream' };
  const sent = { headers, body: await aPackage({ name }) };
  expect((await chartroom.send('POST', `/api/${repository}/charts?force`, sent)).status).toBe(201);
}

/** Makes an account, as the admin does. */
async function anAccount(chartroom: Chartroom, name: string, grants: readonly Grant[] = []): Promise<As> {
  const wish = { kind: 'user', password, grants };
  expect((await send(chartroom, 'PUT', `/-/accounts/${name}`, wish)).status).toBeLessThan(300);
  return basic(name, password);
}

const grantsOf = async ({ accounts }: Chartroom, name: string) =>
  (await accounts.get(parseAccountName(name)))?.grants;

const deleteCharts = async (chartroom: Chartroom, name: string) =>
  expect((await send(chartroom, 'DELETE', `/api/org/charts/${name}`)).status).toBe(200);

const settle = async (chartroom: Chartroom) => void (await currentIndex(chartroom, org));

describe('POST /api/v2.0/projects', () => {
  it('makes a project with its settings and tells the audit, all in one write', async () => {
    const chartroom = closed();
    const answer = await create(chartroom, 'org', {
      metadata: { public: 'true' },
      storage_limit: -1,
      registry_id: null,
    });
    expect([answer.status, answer.body, answer.headers['location']]).toEqual([
      201,
      '',
      `${PROJECTS}/${numberOf('org')}`,
    ]);
    const settings = { anonymousRead: true, allowOverwrite: true, publishersReplace: true };
    expect(await chartroom.repositorySettings.get(org)).toEqual(settings);
    expect(chartroom.audit.changes()).toContainEqual(
      expect.objectContaining({ action: 'repository_created', repository: 'org', detail: { settings } }),
    );
    expect((await send(chartroom, 'GET', '/org/index.yaml', undefined, {})).status).toBe(200);
  });

  it('leaves nothing where the write fails', async () => {
    const chartroom = closed();
    const { put } = chartroom.knownRepositories;
    chartroom.knownRepositories.put = async () => {
      throw new Error('no');
    };
    expect((await create(chartroom)).status).toBe(500);
    chartroom.knownRepositories.put = put;
    expect(await chartroom.repositorySettings.get(org)).toEqual({});
    expect((await create(chartroom)).status).toBe(201);
  });

  it('takes what TKEStack sends, answers 1.x below its path, and names it by name where asked to', async () => {
    const chartroom = closed();
    const path = '/api/projects';
    const body = JSON.stringify({ project_name: 't-chart-ns', public: false });
    const sent = { headers: { ...admin, 'x-resource-name-in-location': 'true' }, body };
    const answer = await chartroom.send('POST', path, sent);
    expect([answer.status, answer.headers['location']]).toEqual([201, `${path}/t-chart-ns`]);
    const { json } = await send(chartroom, 'GET', `${path}/t-chart-ns`);
    expect(json.metadata).toEqual({ public: 'false' });
  });

  it.each([
    { said: {}, shown: 'false' },
    { said: { public: true }, shown: 'true' },
    { said: { public: 1 }, shown: 'true' },
    { said: { metadata: { public: 'false' }, public: true }, shown: 'false' },
    { said: { metadata: { public: true } }, shown: 'true' },
    { said: { metadata: null, public: true }, shown: 'true' },
    { said: { metadata: { public: '' }, cve_allowlist: {} }, shown: 'false' },
  ])('takes $said for public: $shown', async ({ said, shown }) => {
    const chartroom = closed();
    expect((await create(chartroom, 'org', said)).status).toBe(201);
    expect((await send(chartroom, 'GET', `${PROJECTS}/org`)).json.metadata).toEqual({ public: shown });
  });

  it('is refused for one that is there, which keeps its settings', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/repositories/org');
    await send(chartroom, 'PUT', '/-/settings/org', { maxVersions: 3 });
    const answer = await create(chartroom);
    expect([answer.status, answer.body]).toEqual([
      409,
      refusal('CONFLICT', 'the project named org already exists'),
    ]);
    expect(await chartroom.repositorySettings.get(org)).toEqual({ maxVersions: 3 });
  });

  it.each([
    { body: { project_name: 'Org' }, says: 'in lower case' },
    { body: { project_name: 'a--b' }, says: 'cannot name a project' },
    { body: { project_name: 'a/b' }, says: 'cannot name a project' },
    { body: { project_name: '' }, says: 'cannot name a project' },
    ...[{}, [], null, 'no object', { project_name: null }, { project_name: {} }, { project_name: 7 }].map(
      (body) => ({ body, says: '"project_name" is missing' }),
    ),
    ...[[], 'public', 7, true].map((metadata) => ({
      body: { project_name: 'org', metadata },
      says: '"metadata" is an object',
    })),
    { body: { project_name: 'chartrepo' }, says: 'is reserved' },
    { body: { project_name: 'a'.repeat(129) }, says: 'at most 128' },
    { body: { project_name: 'org', registry_id: 3 }, says: '"registry_id"' },
    { body: { project_name: 'org', metadata: { public: 'maybe' } }, says: '"public" is "true" or "false"' },
  ])('refuses $body', async ({ body, says }) => {
    const chartroom = closed();
    const answer = await send(chartroom, 'POST', PROJECTS, body);
    expect([answer.status, answer.json.error]).toEqual([400, expect.stringContaining(says)]);
    expect(await collect(chartroom.knownRepositories.all())).toEqual([]);
  });

  it('keeps what was granted and set under a name that nobody had, beneath its own settings', async () => {
    const chartroom = aChartroom();
    await anAccount(chartroom, 'ada', [{ role: 'reader', on: 'org' }]);
    await send(chartroom, 'PUT', '/-/settings/org', { maxVersions: 3, anonymousRead: true });
    const { put } = chartroom.knownRepositories;
    chartroom.knownRepositories.put = async (...change) => {
      chartroom.knownRepositories.put = put;
      await send(chartroom, 'PUT', '/-/settings/org', { maxVersions: 4, anonymousRead: true });
      return await put(...change);
    };
    expect((await create(chartroom)).status).toBe(201);
    expect(await chartroom.repositorySettings.get(org)).toEqual({
      maxVersions: 4,
      anonymousRead: false,
      allowOverwrite: true,
      publishersReplace: true,
    });
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'reader', on: 'org' }]);
  });

  it('makes one for who asks at the same time', async () => {
    const chartroom = closed();
    const answers = await Promise.all([1, 2, 3].map(async () => (await create(chartroom)).status));
    expect(answers.toSorted()).toEqual([201, 409, 409]);
  });
});

describe('a project that was deleted', () => {
  it.each([
    { how: 'never had a chart', before: async () => {} },
    {
      how: 'lost its charts, as the index does not yet know',
      before: async (chartroom: Chartroom) => {
        await publish(chartroom);
        await settle(chartroom);
        await deleteCharts(chartroom, 'demo');
      },
    },
    {
      how: 'lost its charts, as the index knows',
      before: async (chartroom: Chartroom) => {
        await publish(chartroom);
        await deleteCharts(chartroom, 'demo');
        await settle(chartroom);
      },
    },
  ])('and $how is made again at once, as a new one', async ({ before }) => {
    const chartroom = closed();
    await create(chartroom, 'org', { public: true });
    await send(chartroom, 'PUT', '/-/settings/org', { anonymousRead: true, maxVersions: 3 });
    const label = { name: 'old', scope: 'p', project_id: numberOf('org') };
    expect((await send(chartroom, 'POST', '/api/v2.0/labels', label)).status).toBe(201);
    await before(chartroom);
    expect((await send(chartroom, 'DELETE', `${PROJECTS}/org`)).status).toBe(200);
    expect((await send(chartroom, 'GET', `${PROJECTS}/org`)).status).toBe(404);
    chartroom.clock.advance(DAY);
    expect((await create(chartroom)).status).toBe(201);
    expect(await chartroom.repositorySettings.get(org)).toMatchObject({ anonymousRead: false });
    expect(await chartroom.repositorySettings.get(org)).not.toHaveProperty('maxVersions');
    const { json } = await send(chartroom, 'GET', `${PROJECTS}/org`);
    expect(json).toMatchObject({ creation_time: '2026-01-03T03:04:05.678Z', chart_count: 0 });
    expect((await send(chartroom, 'GET', '/org/index.yaml')).json.entries).toEqual({});
    const labels = `/api/v2.0/labels?scope=p&project_id=${numberOf('org')}`;
    expect((await send(chartroom, 'GET', labels)).json).toEqual([]);
  });

  it.each([`${PROJECTS}/org?force=true`, '/-/repositories/org'])(
    'by DELETE %s is made again without the members it had',
    async (path) => {
      const chartroom = closed();
      await create(chartroom);
      const others: Grant[] = [{ role: 'reader', on: 'org/*' }];
      const ada = await anAccount(chartroom, 'ada', [{ role: 'admin', on: 'org' }, ...others]);
      expect((await send(chartroom, 'DELETE', path)).status).toBeLessThan(300);
      const { put } = chartroom.knownRepositories;
      chartroom.knownRepositories.put = async () => {
        throw new Error('cut off');
      };
      expect((await create(chartroom)).status).toBe(500);
      expect(await grantsOf(chartroom, 'ada')).toEqual(others);
      chartroom.knownRepositories.put = put;
      expect((await create(chartroom)).status).toBe(201);
      chartroom.clock.advance(DAY);
      expect((await send(chartroom, 'GET', '/org/index.yaml', undefined, ada)).status).toBe(404);
    },
  );

  it('with charts in it is not made again, and the refusal names both ways out', async () => {
    const chartroom = closed();
    await create(chartroom);
    await publish(chartroom);
    expect((await send(chartroom, 'DELETE', `${PROJECTS}/org?force=true`)).status).toBe(200);
    const before = await chartroom.knownRepositories.get(org);
    const answer = await create(chartroom);
    expect([answer.status, answer.json.error]).toEqual([
      409,
      expect.stringContaining(
        '{"restore": true} brings it back with its charts, settings and labels, and the members that it still has',
      ),
    ]);
    expect(answer.json.error).toContain(
      'take another name, or wait until it is removed for good, two days after 2026-01-09T03:04:05.678Z at most',
    );
    expect(await chartroom.knownRepositories.get(org)).toEqual(before);
    const restored = await send(chartroom, 'PUT', '/-/repositories/org', { restore: true });
    expect(restored.status).toBe(200);
    expect((await send(chartroom, 'GET', `${PROJECTS}/org`)).json.chart_count).toBe(1);
  });

  it('is not made again while it is being removed', async () => {
    const chartroom = closed();
    await create(chartroom);
    await send(chartroom, 'DELETE', `${PROJECTS}/org`);
    chartroom.clock.advance(7 * DAY);
    const answer = await create(chartroom);
    expect([answer.status, answer.json.error]).toEqual([
      409,
      expect.stringContaining('try again in two days'),
    ]);
  });
});

describe('DELETE /api/v2.0/projects/{project}', () => {
  it('is refused while there are charts, and _deletable says so', async () => {
    const chartroom = closed();
    await create(chartroom);
    const ada = await anAccount(chartroom, 'ada', [{ role: 'reader', on: 'org' }]);
    const deletable = async () => (await send(chartroom, 'GET', `${PROJECTS}/org/_deletable`)).json;
    expect(await deletable()).toEqual({ deletable: true, message: '' });
    await publish(chartroom);
    for (const look of ['before', 'after']) {
      const answer = await send(chartroom, 'DELETE', `${PROJECTS}/${numberOf('org')}`);
      expect([look, answer.status, answer.json.errors[0].code]).toEqual([look, 412, 'PRECONDITION']);
      expect(answer.json.error).toContain('the project contains helm charts, can not be deleted');
      expect(answer.json.error).toContain('?force=true');
      expect(await deletable()).toEqual({ deletable: false, message: answer.json.error });
      expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'reader', on: 'org' }]);
      // Once more when the index lists it.
      await settle(chartroom);
    }
    expect((await send(chartroom, 'GET', '/org/index.yaml', undefined, ada)).status).toBe(200);
  });

  it('takes the members with it: the next project of that name does not let them in', async () => {
    const chartroom = closed();
    await create(chartroom);
    const others: Grant[] = [
      { role: 'reader', on: 'org/*' },
      { role: 'reader', on: 'organisation' },
    ];
    const ada = await anAccount(chartroom, 'ada', [{ role: 'admin', on: 'org' }, ...others]);
    const bob = await anAccount(chartroom, 'bob', [{ role: 'publisher', on: 'org' }]);
    expect((await send(chartroom, 'DELETE', `${PROJECTS}/org`, undefined, ada)).status).toBe(200);
    expect(await grantsOf(chartroom, 'ada')).toEqual(others);
    expect(await grantsOf(chartroom, 'bob')).toEqual([]);
    await create(chartroom);
    chartroom.clock.advance(DAY);
    for (const who of [ada, bob]) {
      expect((await send(chartroom, 'GET', '/org/index.yaml', undefined, who)).status).toBe(404);
    }
  });

  it('that is cut off leaves a deleted project, which its admin brings back and deletes again', async () => {
    const chartroom = closed();
    await create(chartroom);
    const bob = await anAccount(chartroom, 'bob', [{ role: 'admin', on: 'org' }]);
    await anAccount(chartroom, 'zoe', [{ role: 'reader', on: 'org' }]);
    const { put } = chartroom.accounts;
    chartroom.accounts.put = async (account, ...others) => {
      if (account.name === 'bob') throw new Error('cut off');
      return await put(account, ...others);
    };
    expect((await send(chartroom, 'DELETE', `${PROJECTS}/org`, undefined, bob)).status).toBe(500);
    expect((await chartroom.knownRepositories.get(org))?.deleted).toBe(created);
    expect(await grantsOf(chartroom, 'zoe')).toEqual([]);
    expect(await grantsOf(chartroom, 'bob')).toEqual([{ role: 'admin', on: 'org' }]);
    chartroom.accounts.put = put;
    const restored = await send(chartroom, 'PUT', '/-/repositories/org', { restore: true }, bob);
    expect(restored.status).toBe(200);
    expect((await send(chartroom, 'DELETE', `${PROJECTS}/org`, undefined, bob)).status).toBe(200);
    expect((await chartroom.knownRepositories.get(org))?.deleted).toBe(created);
    expect(await grantsOf(chartroom, 'bob')).toEqual([]);
  });

  it('finds what was published while it looked, and leaves the project as it was', async () => {
    const chartroom = closed();
    await create(chartroom);
    await anAccount(chartroom, 'ada', [{ role: 'reader', on: 'org' }]);
    const { put } = chartroom.knownRepositories;
    chartroom.knownRepositories.put = async (...change) => {
      chartroom.knownRepositories.put = put;
      await publish(chartroom);
      return await put(...change);
    };
    const answer = await send(chartroom, 'DELETE', `${PROJECTS}/org`);
    expect([answer.status, answer.json.error]).toEqual([
      412,
      expect.stringContaining('contains helm charts'),
    ]);
    const known = await chartroom.knownRepositories.get(org);
    expect(known).toEqual({ path: 'org', created, by: 'admin', revision: expect.any(String) });
    expect((await send(chartroom, 'GET', `${PROJECTS}/org`)).json.chart_count).toBe(1);
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'reader', on: 'org' }]);
    const told = chartroom.audit.changes().map(({ action }) => action);
    expect(told.filter((action) => action.startsWith('repository_'))).toEqual([
      'repository_created',
      'repository_deleted',
      'repository_restored',
    ]);
  });

  it('with its charts keeps its members, who come back with it', async () => {
    const chartroom = closed();
    await create(chartroom);
    await publish(chartroom);
    const ada = await anAccount(chartroom, 'ada', [{ role: 'admin', on: 'org' }]);
    const forced = await send(chartroom, 'DELETE', `${PROJECTS}/org?force=true`, undefined, ada);
    expect(forced.status).toBe(200);
    expect((await send(chartroom, 'GET', '/org/index.yaml', undefined, ada)).status).toBe(404);
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'admin', on: 'org' }]);
    chartroom.clock.advance(DAY);
    const restored = await send(chartroom, 'PUT', '/-/repositories/org', { restore: true }, ada);
    expect(restored.status).toBe(200);
    expect((await send(chartroom, 'GET', '/org/index.yaml', undefined, ada)).status).toBe(200);
  });

  it.each(['open', 'closed'] as const)('of what is not there changes nothing, %s', async (access) => {
    const chartroom = aChartroom({ access });
    await anAccount(chartroom, 'ada', [{ role: 'admin', on: 'org' }]);
    for (const query of ['', '?force=true']) {
      expect((await send(chartroom, 'DELETE', `${PROJECTS}/org${query}`)).status).toBe(404);
    }
    expect((await send(chartroom, 'GET', `${PROJECTS}/org/_deletable`)).status).toBe(404);
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'admin', on: 'org' }]);
  });

  it('is refused where nothing may be deleted', async () => {
    const chartroom = closed();
    await create(chartroom);
    await send(chartroom, 'PUT', '/-/settings/org', { allowDelete: false });
    expect((await send(chartroom, 'DELETE', `${PROJECTS}/org?force=true`)).status).toBe(405);
    expect((await chartroom.knownRepositories.get(org))?.deleted).toBeUndefined();
  });
});

describe('GET /api/v2.0/projects/{project}', () => {
  it('shows it as Harbor does, by name and by number', async () => {
    const chartroom = closed();
    await create(chartroom);
    const shown = {
      project_id: numberOf('org'),
      owner_id: numberOf('admin'),
      owner_name: 'admin',
      name: 'org',
      creation_time: created,
      update_time: created,
      deleted: false,
      chart_count: 0,
      repo_count: 0,
      current_user_role_id: 1,
      current_user_role_ids: [1],
      metadata: { public: 'false' },
    };
    for (const at of ['org', numberOf('org')]) {
      expect((await send(chartroom, 'GET', `${PROJECTS}/${at}`)).json).toEqual(shown);
    }
    expect((await send(chartroom, 'GET', `${PROJECTS}/${numberOf('other')}`)).status).toBe(404);
  });

  it('tells who made it from maintainer on, and no role to who does not say who they are', async () => {
    const chartroom = closed();
    await create(chartroom, 'org', { public: true });
    const shownTo = async (as: As) => {
      const one = (await send(chartroom, 'GET', `${PROJECTS}/org`, undefined, as)).json;
      const [listed] = (await send(chartroom, 'GET', PROJECTS, undefined, as)).json;
      const [found] = (await send(chartroom, 'GET', '/api/v2.0/search?q=org', undefined, as)).json.project;
      expect([listed, found]).toEqual([one, one]);
      return [one.owner_name, one.owner_id, one.current_user_role_id, one.current_user_role_ids];
    };
    const roles = [
      { role: 'maintainer', shown: ['admin', numberOf('admin'), 4, [4]] },
      { role: 'publisher', shown: ['', 0, 2, [2]] },
      { role: 'reader', shown: ['', 0, 3, [3]] },
    ] as const;
    for (const { role, shown } of roles) {
      expect(await shownTo(await anAccount(chartroom, role, [{ role, on: 'org' }]))).toEqual(shown);
    }
    expect(await shownTo(await anAccount(chartroom, 'nothing'))).toEqual(['', 0, 0, []]);
    expect(await shownTo({})).toEqual(['', 0, 0, []]);
  });

  it('that is not there says how it is made, as far as it can be', async () => {
    const chartroom = closed();
    const error = async (name: string) =>
      (await send(chartroom, 'GET', `${PROJECTS}/${name}`)).json.error as string;
    const made = (name: string) => `there is no repository ${name}: PUT /-/repositories/${name} makes it`;
    expect(await error('org')).toBe(
      `${made('org')}, and POST /api/v2.0/projects with {"project_name": "org"} as a project of Harbor's`,
    );
    // Harbor's names are in lower case.
    expect(await error('Org')).toBe(made('Org'));
    for (const name of ['-org', 'charts', 'v2.0']) expect(await error(name)).not.toContain('PUT');
  });

  it('counts charts, and not versions, at every moment between publishing and the index', async () => {
    const chartroom = closed();
    await create(chartroom);
    const count = async () => (await send(chartroom, 'GET', `${PROJECTS}/org`)).json.chart_count;
    await publish(chartroom, 'one');
    expect(await count()).toBe(1);
    await settle(chartroom);
    await publish(chartroom, 'two');
    await publish(chartroom, 'one');
    expect(await count()).toBe(2);
    await settle(chartroom);
    expect(await count()).toBe(2);
    await deleteCharts(chartroom, 'one');
    expect(await count()).toBe(1);
    await settle(chartroom);
    expect(await count()).toBe(1);
    await chartroom.objects.remove([...chartroom.objects.objects.keys()]);
    expect(await count()).toBe(1);
  });

  it('has no images', async () => {
    const chartroom = closed();
    await create(chartroom);
    const answer = await send(chartroom, 'GET', `${PROJECTS}/org/repositories`);
    expect([answer.status, answer.json, answer.headers['x-total-count']]).toEqual([200, [], '0']);
  });
});

describe('GET /api/v2.0/projects', () => {
  async function some() {
    const chartroom = closed();
    for (const name of ['apps', 'my-apps', 'tools']) {
      await create(chartroom, name, { public: name === 'tools' });
    }
    await send(chartroom, 'PUT', '/-/repositories/apps/team');
    await create(chartroom, 'gone');
    await send(chartroom, 'DELETE', `${PROJECTS}/gone`);
    const names = async (query: string, as: As = admin) => {
      const { status, json } = await send(chartroom, 'GET', `${PROJECTS}${query}`, undefined, as);
      return status === 200 ? json.map(({ name }: { name: string }) => name) : status;
    };
    return { chartroom, names };
  }

  it.each([
    { query: '', found: ['apps', 'my-apps', 'tools'] },
    { query: '?name=apps', found: ['apps', 'my-apps'] },
    { query: '?q=name%3D~apps', found: ['apps', 'my-apps'] },
    { query: '?q=name%3Dapps', found: ['apps'] },
    { query: '?q=name%3D~apps%2Cpublic%3Dtrue', found: [] },
    { query: '?public=true', found: ['tools'] },
    { query: '?public=0&owner=nobody&sort=-name&with_detail=false', found: ['apps', 'my-apps'] },
    { query: '?page=2&page_size=2', found: ['tools'] },
    { query: '?page=9', found: [] },
    { query: '?page_size=1000', found: ['apps', 'my-apps', 'tools'] },
    { query: '?page=0', found: 400 },
    { query: '?page_size=many', found: 400 },
    { query: '?public=maybe', found: 400 },
  ])('answers "$query" with $found', async ({ query, found }) => {
    const { names } = await some();
    expect(await names(query)).toEqual(found);
  });

  it('tells how many there are, and where the other pages are', async () => {
    const { chartroom } = await some();
    const link = async (query: string) => {
      const { headers } = await send(chartroom, 'GET', `${PROJECTS}${query}`);
      return [headers['x-total-count'], headers['link']];
    };
    expect(await link('')).toEqual(['3', undefined]);
    expect(await link('?name=s&page_size=1&page=2')).toEqual([
      '3',
      `<${PROJECTS}?name=s&page_size=1&page=1>; rel="prev", <${PROJECTS}?name=s&page_size=1&page=3>; rel="next"`,
    ]);
  });

  it('shows to each what they may read', async () => {
    const { chartroom, names } = await some();
    const ada = await anAccount(chartroom, 'ada', [{ role: 'publisher', on: 'apps' }]);
    expect(await names('', ada)).toEqual(['apps', 'tools']);
    expect(await names('', {})).toEqual(['tools']);
    const { json } = await send(chartroom, 'GET', PROJECTS, undefined, ada);
    expect(json.map((each: { current_user_role_ids: number[] }) => each.current_user_role_ids)).toEqual([
      [2],
      [],
    ]);
  });

  it.each([
    { method: 'GET', query: '?q=name%3Dtools%2Cpublic%3Dtrue', settings: ['tools'], all: 1 },
    { method: 'GET', query: '?public=true', settings: ['apps', 'my-apps', 'tools'], all: 1 },
    { method: 'HEAD', query: '?project_name=tools', settings: ['tools'], all: 0 },
  ])('reads each thing once, for $method $query', async ({ method, query, settings, all }) => {
    const { chartroom } = await some();
    const read: string[] = [];
    const { get } = chartroom.repositorySettings;
    chartroom.repositorySettings.get = async (repository) => {
      read.push(repository);
      return await get(repository);
    };
    let lists = 0;
    const { all: list } = chartroom.knownRepositories;
    chartroom.knownRepositories.all = () => {
      lists += 1;
      return list();
    };
    expect((await chartroom.send(method, `${PROJECTS}${query}`)).status).toBe(200);
    expect([read.toSorted(), lists]).toEqual([settings, all]);
  });

  it('HEAD tells whether there is one, to whom it may', async () => {
    const { chartroom } = await some();
    const ada = await anAccount(chartroom, 'ada');
    const head = async (query: string, as: As) =>
      (await chartroom.send('HEAD', `${PROJECTS}${query}`, { headers: as })).status;
    expect(await head('?project_name=apps', admin)).toBe(200);
    for (const name of ['app', 'gone', 'apps/team', 'charts', 'x'.repeat(3000)])
      expect(await head(`?project_name=${name}`, admin)).toBe(404);
    for (const name of ['apps', 'nothing']) {
      expect(await head(`?project_name=${name}`, ada)).toBe(404);
      expect(await head(`?project_name=${name}`, {})).toBe(401);
    }
    expect(await head('?project_name=tools', {})).toBe(200);
    expect(await head('', admin)).toBe(400);
    const open = aChartroom();
    await create(open);
    expect((await open.send('HEAD', `${PROJECTS}?project_name=org`)).status).toBe(200);
    expect((await open.send('HEAD', `${PROJECTS}?project_name=other`)).status).toBe(404);
  });
});

describe('a project that is asked for by number', () => {
  const at = (name: string | number) => `${PROJECTS}/${typeof name === 'string' ? numberOf(name) : name}`;
  const nobodys = 7;

  async function some(options: Parameters<typeof aChartroom>[0] = {}) {
    const chartroom = aChartroom({ access: 'closed', ...options });
    await create(chartroom, 'secret');
    await create(chartroom, 'shown', { public: true });
    await send(chartroom, 'PUT', '/-/repositories/secret/nested');
    const ada = await anAccount(chartroom, 'ada');
    return { chartroom, ada };
  }

  it('is found by everybody who may read it, and by nobody else', async () => {
    const { chartroom, ada } = await some();
    for (const as of [admin, ada, {}]) {
      expect((await send(chartroom, 'GET', at('shown'), undefined, as)).json.name).toBe('shown');
    }
    const hears = async (name: string | number, as: As) => {
      const { status, body, headers } = await send(chartroom, 'GET', at(name), undefined, as);
      return { status, body, headers };
    };
    for (const as of [ada, {}]) {
      const answer = await hears('secret', as);
      expect(answer.status).toBe(as === ada ? 404 : 401);
      for (const name of ['secret/nested', nobodys]) expect(await hears(name, as)).toEqual(answer);
    }
    expect((await hears('secret/nested', admin)).body).not.toContain('nested');
  });

  it('is not looked for before it is known who asks', async () => {
    const { chartroom } = await some();
    chartroom.knownRepositories.all = () => {
      throw new Error('looked for');
    };
    for (const path of ['', '/members', '/repositories']) {
      const answer = await send(chartroom, 'GET', `${at('secret')}${path}`, undefined, basic('admin', 'no'));
      expect([path, answer.status]).toEqual([path, 401]);
    }
    for (const [method, path] of [
      ['PUT', ''],
      ['DELETE', ''],
      ['GET', '/members'],
    ] as const) {
      expect((await send(chartroom, method, `${at('secret')}${path}`, undefined, {})).status).toBe(401);
    }
  });

  it('is not named by the challenge, which says what was sent', async () => {
    const tokens = { issuer: 'i', audience: 'a', realm: 'r', algorithms: ['RS256'], keys: [] };
    const { chartroom } = await some({ tokens });
    const challenge = async (path: string | number, as: As = {}) =>
      (await send(chartroom, 'GET', `${PROJECTS}/${path}`, undefined, as)).headers['www-authenticate'];
    const bearer = 'Basic realm="Chartroom", Bearer realm="r",service="a"';
    for (const number of [numberOf('secret'), nobodys]) expect(await challenge(number)).toBe(bearer);
    const scope = (name: string) => `${bearer},scope="artifact-repository:${name}:pull"`;
    expect(await challenge('secret')).toBe(scope('secret'));
    expect(await challenge('2026', { 'x-is-resource-name': 'true' })).toBe(scope('2026'));
  });

  it.each(['closed', 'open'] as const)('is deleted alone, with %s access', async (access) => {
    const chartroom = aChartroom({ access });
    const named = String(numberOf('org'));
    await create(chartroom);
    await create(chartroom, named);
    const remove = async () => await send(chartroom, 'DELETE', `${PROJECTS}/${named}`);
    expect((await remove()).status).toBe(200);
    const again = await remove();
    expect([again.status, again.json.error]).toEqual([404, expect.stringContaining('X-Is-Resource-Name')]);
    const byName = { ...admin, 'x-is-resource-name': 'true' };
    expect((await send(chartroom, 'GET', `${PROJECTS}/${named}`, undefined, byName)).json.name).toBe(named);
    expect((await send(chartroom, 'GET', `${PROJECTS}/20260102030405`)).status).toBe(404);
  });
});

describe('PUT /api/v2.0/projects/{project}', () => {
  it('says who may read, and leaves what else was said', async () => {
    const chartroom = closed();
    await create(chartroom);
    const put = async (value: object) => (await send(chartroom, 'PUT', `${PROJECTS}/org`, value)).status;
    const before = await chartroom.repositorySettings.get(org);
    expect(await put({ metadata: { public: 'true', auto_scan: 'true' }, storage_limit: 5 })).toBe(200);
    expect(await chartroom.repositorySettings.get(org)).toEqual({ ...before, anonymousRead: true });
    expect(await put({ metadata: { severity: 'high' } })).toBe(200);
    expect(await put({ metadata: { public: 'perhaps' } })).toBe(400);
    expect(await chartroom.repositorySettings.get(org)).toEqual({ ...before, anonymousRead: true });
    expect(chartroom.audit.changes().at(-1)).toMatchObject({ action: 'settings_changed', repository: 'org' });
  });

  it('undoes nothing that somebody else says at the same time', async () => {
    const chartroom = closed();
    await create(chartroom);
    const { get } = chartroom.repositorySettings;
    let isMeanwhile = true;
    chartroom.repositorySettings.get = async (repository) => {
      const seen = await get(repository);
      if (isMeanwhile) chartroom.repositorySettings.set(repository, { ...seen, maxVersions: 7 });
      isMeanwhile = false;
      return seen;
    };
    expect((await send(chartroom, 'PUT', `${PROJECTS}/org`, { public: true })).status).toBe(200);
    expect(await get(org)).toMatchObject({ maxVersions: 7, anonymousRead: true });
  });
});

describe('the members of a project', () => {
  const MEMBERS = `${PROJECTS}/org/members`;
  const add = async (chartroom: Chartroom, role: unknown, user: object, as: As = admin) =>
    await send(chartroom, 'POST', MEMBERS, { role_id: role, member_user: user }, as);

  async function aProject(...names: string[]) {
    const chartroom = closed();
    await create(chartroom);
    for (const name of names) await anAccount(chartroom, name);
    return chartroom;
  }

  it.each([
    { role_id: 1, role: 'maintainer', shown: { role_id: 4, role_name: 'maintainer' } },
    { role_id: 2, role: 'publisher', shown: { role_id: 2, role_name: 'developer' } },
    { role_id: 3, role: 'reader', shown: { role_id: 3, role_name: 'guest' } },
    { role_id: 4, role: 'maintainer', shown: { role_id: 4, role_name: 'maintainer' } },
    { role_id: 5, role: 'reader', shown: { role_id: 3, role_name: 'guest' } },
  ])('given role $role_id are $role', async ({ role_id, role, shown }) => {
    const chartroom = await aProject('ada');
    const answer = await add(chartroom, role_id, { username: 'ada' });
    const at = `${MEMBERS}/${numberOf('ada')}`;
    expect([answer.status, answer.body, answer.headers['location']]).toEqual([201, '', at]);
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role, on: 'org' }]);
    expect((await send(chartroom, 'GET', at)).json).toEqual({
      id: numberOf('ada'),
      project_id: numberOf('org'),
      entity_name: 'ada',
      ...shown,
      entity_id: numberOf('ada'),
      entity_type: 'u',
    });
    expect(chartroom.audit.changes().at(-1)).toMatchObject({
      action: 'account_changed',
      target: 'ada',
      repository: 'org',
      by: { account: 'admin' },
      detail: { grants: [{ role, on: 'org' }], grantsBefore: [] },
    });
  });

  it('are added by number too, robots as well, and once', async () => {
    const chartroom = await aProject('ada');
    await send(chartroom, 'PUT', '/-/accounts/ci', { kind: 'robot', grants: [] });
    expect((await add(chartroom, 2, { user_id: numberOf('ci') })).status).toBe(201);
    expect(await grantsOf(chartroom, 'ci')).toEqual([{ role: 'publisher', on: 'org' }]);
    const again = await add(chartroom, 4, { username: 'ci' });
    expect([again.status, again.json.error]).toEqual([
      409,
      expect.stringContaining('is a member of project org already'),
    ]);
    expect(await grantsOf(chartroom, 'ci')).toEqual([{ role: 'publisher', on: 'org' }]);
  });

  it.each([
    {
      value: { role_id: 2, member_user: { username: 'nobody' } },
      status: 404,
      says: 'there is no account nobody',
    },
    { value: { role_id: 2, member_user: { user_id: 7 } }, status: 404, says: 'with the number 7' },
    { value: { role_id: 2, member_group: { group_name: 'devs' } }, status: 400, says: 'there are no groups' },
    { value: { role_id: 2 }, status: 400, says: '"member_user" says who' },
    { value: { role_id: 6, member_user: { username: 'ada' } }, status: 400, says: '"role_id" is 1' },
    { value: { member_user: { username: 'ada' } }, status: 400, says: '"role_id" is 1' },
  ])('are not $value', async ({ value, status, says }) => {
    const chartroom = await aProject('ada');
    const answer = await send(chartroom, 'POST', MEMBERS, value);
    expect([answer.status, answer.json.error]).toEqual([status, expect.stringContaining(says)]);
    expect(await grantsOf(chartroom, 'ada')).toEqual([]);
  });

  it('have no more grants than an account can have', async () => {
    const chartroom = await aProject();
    const grants = Array.from({ length: 50 }, (_, at): Grant => ({ role: 'reader', on: `p${at}` }));
    await anAccount(chartroom, 'ada', grants);
    const answer = await add(chartroom, 2, { username: 'ada' });
    expect([answer.status, answer.json.error]).toEqual([400, expect.stringContaining('ada has 50 grants')]);
  });

  it('are listed by name; who has a role elsewhere is none', async () => {
    const chartroom = await aProject('bob', 'ada', 'adam');
    await anAccount(chartroom, 'all', [{ role: 'admin', on: '*' }]);
    await anAccount(chartroom, 'below', [{ role: 'reader', on: 'org/*' }]);
    for (const username of ['bob', 'ada', 'adam']) await add(chartroom, 2, { username });
    const list = async (query: string) => {
      const { json, headers } = await send(chartroom, 'GET', `${MEMBERS}${query}`);
      return [headers['x-total-count'], json.map((each: { entity_name: string }) => each.entity_name)];
    };
    expect(await list('')).toEqual(['3', ['ada', 'adam', 'bob']]);
    expect(await list('?entityname=ada&page_size=1&page=2')).toEqual(['2', ['adam']]);
  });

  it('get another role, and lose it', async () => {
    const chartroom = await aProject('ada', 'bob');
    await add(chartroom, 2, { username: 'ada' });
    const at = `${MEMBERS}/${numberOf('ada')}`;
    expect((await send(chartroom, 'PUT', at, { role_id: 3 })).status).toBe(200);
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'reader', on: 'org' }]);
    expect((await send(chartroom, 'PUT', at, { role_id: 9 })).status).toBe(400);
    expect((await send(chartroom, 'DELETE', at)).status).toBe(200);
    expect(await grantsOf(chartroom, 'ada')).toEqual([]);
    for (const [method, value] of [['GET'], ['PUT', { role_id: 3 }], ['DELETE']] as const) {
      expect((await send(chartroom, method, at, value)).status).toBe(404);
      expect((await send(chartroom, method, `${MEMBERS}/${numberOf('bob')}`, value)).status).toBe(404);
      expect((await send(chartroom, method, `${MEMBERS}/ada`, value)).status).toBe(400);
    }
  });

  it('are not made admins by an admin of the project, who stays one', async () => {
    const chartroom = await aProject('ada');
    const owner = await anAccount(chartroom, 'owner', [{ role: 'admin', on: 'org' }]);
    expect((await add(chartroom, 1, { username: 'ada' }, owner)).status).toBe(201);
    expect(
      (await send(chartroom, 'PUT', `${MEMBERS}/${numberOf('ada')}`, { role_id: 1 }, owner)).status,
    ).toBe(200);
    expect(await grantsOf(chartroom, 'ada')).toEqual([{ role: 'maintainer', on: 'org' }]);
    const own = `${MEMBERS}/${numberOf('owner')}`;
    expect((await send(chartroom, 'GET', own, undefined, owner)).json).toMatchObject({
      role_name: 'projectAdmin',
    });
    expect((await send(chartroom, 'PUT', own, { role_id: 1 }, owner)).status).toBe(200);
    expect(await grantsOf(chartroom, 'owner')).toEqual([{ role: 'admin', on: 'org' }]);
    // Nor by somebody who is less.
    const maintainer = basic('ada', password);
    chartroom.clock.advance(DAY);
    for (const who of ['ada', 'owner']) {
      const at = `${MEMBERS}/${numberOf(who)}`;
      expect((await send(chartroom, 'PUT', at, { role_id: 1 }, maintainer)).status).toBe(403);
      expect((await send(chartroom, 'DELETE', at, undefined, maintainer)).status).toBe(403);
    }
  });
});

describe('a project that is made as Harbor makes one', () => {
  it('takes a version again from whom Harbor calls a developer, and from no guest', async () => {
    const chartroom = closed();
    await create(chartroom);
    const upload = async (name: string, description: string) => {
      const headers = { ...basic(name, password), 'content-type': 'application/octet-stream' };
      const body = await aPackage({ description });
      return (await chartroom.send('POST', '/api/chartrepo/org/charts', { headers, body })).status;
    };
    for (const [username, role_id] of [
      ['dev', 2],
      ['guest', 3],
    ]) {
      await anAccount(chartroom, String(username));
      const value = { role_id, member_user: { username } };
      expect((await send(chartroom, 'POST', `${PROJECTS}/org/members`, value)).status).toBe(201);
    }
    expect([await upload('dev', 'first'), await upload('dev', 'second')]).toEqual([201, 201]);
    expect(await upload('guest', 'third')).toBe(403);
    const { json } = await send(chartroom, 'GET', '/api/org/charts/demo/1.0.0');
    expect(json.description).toBe('second');
  });
});

describe('GET /api/v2.0/users/current', () => {
  it('tells as whom a request is taken', async () => {
    const chartroom = closed();
    const ada = await anAccount(chartroom, 'ada', [{ role: 'admin', on: 'org' }]);
    const current = async (as: As) => await send(chartroom, 'GET', '/api/v2.0/users/current', undefined, as);
    const user = { user_id: numberOf('ada'), username: 'ada', sysadmin_flag: false };
    expect((await current(ada)).json).toMatchObject(user);
    expect((await current(admin)).json).toMatchObject({ username: 'admin', sysadmin_flag: true });
    expect((await current({})).status).toBe(401);
    expect((await current(basic('ada', 'wrong'))).status).toBe(401);
    const { json } = await send(aChartroom(), 'GET', '/api/users/current');
    expect(json).toMatchObject({ username: 'anyone', sysadmin_flag: true });
  });
});
