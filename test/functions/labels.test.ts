import { beforeEach, describe, expect, it } from 'vitest';
import { putAccount } from '../../shared/accounts.ts';
import { collect } from '../../shared/async-iteration.ts';
import type { Grant } from '../../shared/domain/access.ts';
import { parseAccountName } from '../../shared/domain/account.ts';
import { numberOf } from '../../shared/domain/project.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { parseChartVersion } from '../../shared/domain/version.ts';
import { deleteRepository, putRepository } from '../../shared/known-repositories.ts';
import { createLabel, labelsOf } from '../../shared/labels.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import { aChartroom, adminPassword, basic, type Chartroom, contents, publish } from './chartroom.ts';

const PASSWORD = 'twelve chars';
const now = '2026-01-02T03:04:05.678Z';
const [org, other] = [parseRepository(['org']), parseRepository(['other'])];
const [orgId, otherId] = [numberOf(org), numberOf(other)];

const accounts = {
  nobody: [],
  reader: [{ role: 'reader', on: 'org' }],
  publisher: [{ role: 'publisher', on: 'org' }],
  maintainer: [{ role: 'maintainer', on: 'org' }],
  'org-admin': [{ role: 'admin', on: 'org' }],
  stranger: [{ role: 'admin', on: 'other' }],
} as const satisfies Record<string, readonly Grant[]>;

type Who = keyof typeof accounts | 'admin' | 'anonymous';

function headersOf(who: Who): Record<string, string> {
  if (who === 'anonymous') return {};
  return who === 'admin' ? basic('admin', adminPassword) : basic(who, PASSWORD);
}

/** A closed Chartroom with two projects, `org` with two versions of a chart. */
async function aChartroomWithProjects(): Promise<Chartroom> {
  const chartroom = aChartroom({ access: 'closed' });
  const dependencies = { ...chartroom, hashPassword: async (password: string) => `hash of ${password}` };
  for (const path of [org, other]) await putRepository(chartroom, path, { restore: false, by: somebody });
  for (const [name, grants] of Object.entries(accounts)) {
    const wish = { kind: 'user', grants, password: PASSWORD } as const;
    await putAccount(dependencies, parseAccountName(name), wish, somebody);
  }
  for (const version of ['1.0.0', '1.1.0']) await publishTo(chartroom, version);
  return chartroom;
}

async function publishTo(chartroom: Chartroom, version: string, description = ''): Promise<void> {
  const headers = { 'content-type': 'application/octet-stream', ...headersOf('admin') };
  const body = await aPackage({ version, description });
  const { status } = await chartroom.send('POST', '/api/org/charts?force', { headers, body });
  expect(status).toBe(201);
}

const LABELS = '/api/v2.0/labels';
const VERSION = '/api/v2.0/chartrepo/org/charts/demo/1.0.0/labels';
const everybodys = { name: 'approved', scope: 'g' };
const orgs = { name: 'approved', scope: 'p', project_id: orgId };

let chartroom: Chartroom;
beforeEach(async () => {
  chartroom = await aChartroomWithProjects();
});

/** Sends JSON. */
async function send(who: Who, method: string, path: string, value?: unknown) {
  const body = value === undefined ? {} : { body: JSON.stringify(value) };
  const answer = await chartroom.send(method, path, { headers: headersOf(who), ...body });
  return { ...answer, body: answer.body === '' ? undefined : JSON.parse(answer.body) };
}

const statusOf = async (...sent: Parameters<typeof send>) => (await send(...sent)).status;

/** Makes a label as the admin. @returns its id */
async function made(label: object): Promise<number> {
  const { status, headers } = await send('admin', 'POST', LABELS, label);
  expect(status).toBe(201);
  return Number(String(headers['location']).split('/').at(-1));
}

const namesOn = async (path = VERSION) =>
  (await send('reader', 'GET', path)).body.map(({ name }: { name: string }) => name);

describe('POST /api/v2.0/labels', () => {
  it.each([
    { what: "everybody's", label: everybodys, shown: { scope: 'g', project_id: 0 } },
    { what: "a project's", label: orgs, shown: { scope: 'p', project_id: orgId } },
  ])('makes a label, which GET shows at both addresses: $what', async ({ label, shown }) => {
    const text = { name: 'approved', description: 'by "QA" ✓', color: '#00ff00' };
    const answer = await send('admin', 'POST', LABELS, { id: 9, ...label, ...text, deleted: true });
    expect(answer).toMatchObject({ status: 201, headers: { location: `${LABELS}/1` }, body: undefined });
    const whole = { id: 1, ...text, ...shown, creation_time: now, update_time: now, deleted: false };
    for (const path of [`${LABELS}/1`, '/api/labels/1']) {
      expect(await send('admin', 'GET', path)).toMatchObject({ status: 200, body: whole });
    }
    expect((await send('admin', 'POST', '/api/labels', { ...label, name: 'b' })).headers['location']).toBe(
      '/api/labels/2',
    );
  });

  it.each([
    { why: 'no name', label: { scope: 'g' } },
    { why: 'a blank name', label: { ...everybodys, name: ' ' } },
    { why: 'a long name', label: { ...everybodys, name: 'x'.repeat(129) } },
    { why: 'a line end', label: { ...everybodys, name: 'a\nb' } },
    { why: 'half a character', label: { ...everybodys, name: '\ud800' } },
    { why: 'a long colour', label: { ...everybodys, color: 'x'.repeat(17) } },
    { why: 'a description that is no text', label: { ...everybodys, description: 1 } },
    { why: 'no scope', label: { name: 'approved' } },
    { why: 'another scope', label: { ...everybodys, scope: 'u' } },
    { why: 'no project', label: { ...orgs, project_id: undefined } },
    { why: 'a project that is no number', label: { ...orgs, project_id: 'org' } },
    { why: 'no object', label: 'approved' },
  ])('refuses $why', async ({ label }) => {
    expect(await statusOf('admin', 'POST', LABELS, label)).toBe(400);
    expect(chartroom.labels.known()).toEqual([]);
  });

  it('refuses what is no JSON', async () => {
    const { status } = await chartroom.send('POST', LABELS, { headers: headersOf('admin'), body: '{' });
    expect(status).toBe(400);
  });

  it('refuses a second one of the same name, where it is the same project', async () => {
    await made(everybodys);
    const again = await send('admin', 'POST', LABELS, everybodys);
    expect(again).toMatchObject({
      status: 409,
      body: { error: 'there is a label "approved": its id is 1', errors: [{ code: 'CONFLICT' }] },
    });
    await made(orgs);
    await made({ ...orgs, project_id: otherId });
    expect(await statusOf('admin', 'POST', LABELS, orgs)).toBe(409);
    expect(chartroom.labels.known()).toHaveLength(3);
  });

  it('knows no project that is deleted, or was never there', async () => {
    await deleteRepository(chartroom, other, somebody);
    for (const project_id of [otherId, 4711]) {
      expect(await statusOf('admin', 'POST', LABELS, { ...orgs, project_id })).toBe(404);
    }
    expect(chartroom.labels.known()).toEqual([]);
  });
});

describe('who may do what with labels', () => {
  const everyone = ['anonymous', ...Object.keys(accounts), 'admin'] as readonly Who[];
  type Request = 'POST' | 'LIST' | 'GET' | 'PUT' | 'DELETE';
  /** Who gets which status; whoever is not named, the last one. */
  const cases: { request: Request; label: object; expected: Partial<Record<Who, number>>; others: number }[] =
    [
      { request: 'POST', label: everybodys, expected: { anonymous: 401, admin: 201 }, others: 403 },
      { request: 'GET', label: everybodys, expected: { anonymous: 401 }, others: 200 },
      { request: 'PUT', label: everybodys, expected: { anonymous: 401, admin: 200 }, others: 403 },
      { request: 'DELETE', label: everybodys, expected: { anonymous: 401, admin: 200 }, others: 403 },
      {
        request: 'POST',
        label: orgs,
        expected: { anonymous: 401, nobody: 404, stranger: 404, reader: 403, publisher: 403 },
        others: 201,
      },
      {
        request: 'GET',
        label: orgs,
        expected: { anonymous: 401, nobody: 404, stranger: 404 },
        others: 200,
      },
      {
        request: 'LIST',
        label: orgs,
        expected: { anonymous: 401, nobody: 404, stranger: 404 },
        others: 200,
      },
      ...(['PUT', 'DELETE'] as const).map((request) => ({
        request,
        label: orgs,
        expected: { anonymous: 401, nobody: 404, stranger: 404, reader: 403, publisher: 403 },
        others: 200,
      })),
    ];

  it.each(cases)('$request of $label', async ({ request, label, expected, others }) => {
    for (const who of everyone) {
      chartroom = await aChartroomWithProjects();
      if (request !== 'POST') await made(label);
      const before = chartroom.labels.known();
      const one = `${LABELS}/1`;
      const status = await {
        POST: () => statusOf(who, 'POST', LABELS, label),
        LIST: () => statusOf(who, 'GET', `${LABELS}?scope=p&project_id=${orgId}`),
        GET: () => statusOf(who, 'GET', one),
        PUT: () => statusOf(who, 'PUT', one, label),
        DELETE: () => statusOf(who, 'DELETE', one),
      }[request]();
      expect([who, status]).toEqual([who, expected[who] ?? others]);
      const isRefused = [401, 403, 404].includes(status ?? 0);
      if (isRefused) expect(chartroom.labels.known()).toEqual(before);
    }
  });

  it('says of a label that may not be seen what it says of one that is not there', async () => {
    await made(orgs);
    const hidden = await send('stranger', 'GET', `${LABELS}/1`);
    const missing = await send('stranger', 'GET', `${LABELS}/2`);
    expect(hidden.body.error.replace('1', '2')).toBe(missing.body.error);
    const project = await send('stranger', 'GET', `${LABELS}?scope=p&project_id=${orgId}`);
    expect(project.body.error).toBe(`there is no project ${orgId}`);
  });

  it('names the role that is missing', async () => {
    const { body } = await send('publisher', 'POST', LABELS, orgs);
    expect(body.error).toBe('forbidden: publisher needs the role maintainer on org');
    const global = await send('org-admin', 'POST', LABELS, everybodys);
    expect(global.body.error).toBe('forbidden: org-admin needs the role admin on everything ("*")');
  });

  it("lets any account read, and not change, a public project's", async () => {
    await made(orgs);
    await chartroom.repositorySettings.put(org, { anonymousRead: true }, anAccessChange());
    for (const path of [`${LABELS}/1`, `${LABELS}?scope=p&project_id=${orgId}`]) {
      expect(await statusOf('nobody', 'GET', path)).toBe(200);
      expect(await statusOf('anonymous', 'GET', path)).toBe(401);
    }
    expect(await statusOf('nobody', 'DELETE', `${LABELS}/1`)).toBe(403);
  });

  it("hides a deleted project's", async () => {
    await made(orgs);
    await deleteRepository(chartroom, org, somebody);
    expect(await statusOf('admin', 'GET', `${LABELS}/1`)).toBe(404);
    expect(await statusOf('admin', 'DELETE', `${LABELS}/1`)).toBe(404);
  });

  it('is everything for everybody where access is open', async () => {
    chartroom = aChartroom();
    await publish(chartroom, await aPackage(), '/api/org/charts');
    for (const label of [everybodys, orgs]) {
      const { status, headers } = await send('anonymous', 'POST', LABELS, label);
      expect(status).toBe(201);
      expect(await statusOf('anonymous', 'GET', String(headers['location']))).toBe(200);
    }
    expect(await statusOf('anonymous', 'POST', VERSION, { id: 2 })).toBe(200);
  });
});

describe('500 labels of one project, or of everybody', () => {
  const fill = async (project?: typeof org) => {
    for (let n = 0; n < 500; n += 1) {
      await createLabel(chartroom, { name: `l${n}`, description: '', color: '' }, project, somebody);
    }
  };

  it.each([
    { whose: 'of everybody', project: undefined, label: everybodys, elsewhere: orgs },
    { whose: 'in org', project: org, label: orgs, elsewhere: { ...orgs, project_id: otherId } },
  ])('are the most there can be $whose', async ({ whose, project, label, elsewhere }) => {
    await fill(project);
    const refused = await send('admin', 'POST', LABELS, label);
    const error = `there are 500 labels ${whose}, the most there can be is 500: delete one`;
    expect(refused).toMatchObject({ status: 400, body: { error } });
    expect(await statusOf('admin', 'POST', LABELS, { ...label, name: 'l7' })).toBe(409);
    await made(elsewhere);
    expect(await statusOf('admin', 'PUT', `${LABELS}/8`, { name: 'called otherwise' })).toBe(200);
    expect(await statusOf('admin', 'DELETE', `${LABELS}/8`)).toBe(200);
    await made(label);
  });
});

describe('GET /api/v2.0/labels', () => {
  const listed = async (query: string) => {
    const { status, headers, body } = await send('reader', 'GET', `${LABELS}${query}`);
    expect(status).toBe(200);
    const names = body.map(({ name }: { name: string }) => name);
    return { names, total: headers['x-total-count'], link: headers['link'] };
  };

  it("lists everybody's, or a project's, by name", async () => {
    for (const name of ['b', 'a', 'ab']) await made({ ...everybodys, name });
    for (const name of ['z', 'y']) await made({ ...orgs, name });
    await made({ ...orgs, name: 'x', project_id: otherId });
    const global = { names: ['a', 'ab', 'b'], total: '3', link: undefined };
    expect(await listed('')).toEqual(global);
    expect(await listed('?scope=g')).toEqual(global);
    expect(await listed(`?scope=p&project_id=${orgId}`)).toMatchObject({ names: ['y', 'z'], total: '2' });
    expect(await listed('?name=b')).toMatchObject({ names: ['ab', 'b'], total: '2' });
    expect(await listed('?name=nothing')).toMatchObject({ names: [], total: '0' });
  });

  it('is turned page by page', async () => {
    for (let n = 10; n < 22; n += 1) await made({ ...everybodys, name: `l${n}` });
    const first = await listed('');
    expect([first.names.length, first.total]).toEqual([10, '12']);
    expect(first.link).toBe('</api/v2.0/labels?page=2&page_size=10>; rel="next"');
    const middle = await listed('?name=l&page=2&page_size=5');
    expect(middle).toEqual({
      names: ['l15', 'l16', 'l17', 'l18', 'l19'],
      total: '12',
      link: '</api/v2.0/labels?name=l&page=1&page_size=5>; rel="prev", </api/v2.0/labels?name=l&page=3&page_size=5>; rel="next"',
    });
    expect(await listed('?page=9')).toMatchObject({ names: [], total: '12' });
  });

  it.each([
    '?scope=u',
    '?scope=p',
    '?scope=p&project_id=org',
    '?scope=p&project_id=0',
    '?page=0',
    '?page=x',
    '?page_size=-1',
  ])('refuses %s', async (query) => {
    expect(await statusOf('reader', 'GET', `${LABELS}${query}`)).toBe(400);
  });
});

describe('PUT /api/v2.0/labels/{id}', () => {
  it('says anew what a label says, and not whose it is', async () => {
    await made(orgs);
    chartroom.clock.advance(1000);
    const wish = { name: 'rejected', color: '#ff0000', scope: 'g', project_id: 0, id: 7 };
    expect(await send('maintainer', 'PUT', `${LABELS}/1`, wish)).toMatchObject({
      status: 200,
      body: undefined,
    });
    expect((await send('reader', 'GET', `${LABELS}/1`)).body).toEqual({
      id: 1,
      name: 'rejected',
      description: '',
      color: '#ff0000',
      scope: 'p',
      project_id: orgId,
      creation_time: now,
      update_time: '2026-01-02T03:04:06.678Z',
      deleted: false,
    });
    expect(await made(orgs)).toBe(2);
  });

  it('refuses the name of another, and takes its own', async () => {
    await made(everybodys);
    await made({ ...everybodys, name: 'rejected' });
    const before = chartroom.labels.known();
    expect(await statusOf('admin', 'PUT', `${LABELS}/2`, { name: 'approved' })).toBe(409);
    expect(await statusOf('admin', 'PUT', `${LABELS}/2`, {})).toBe(400);
    expect(chartroom.labels.known()).toEqual(before);
    expect(await statusOf('admin', 'PUT', `${LABELS}/2`, { name: 'rejected', color: 'red' })).toBe(200);
  });
});

describe('what is no label', () => {
  it.each(['2', '0', 'x', '01x', '99999999999', '-1', '__proto__'])('is not there: %s', async (id) => {
    await made(everybodys);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await send(
        'admin',
        method,
        `${LABELS}/${id}`,
        method === 'PUT' ? everybodys : undefined,
      );
      expect(answer).toMatchObject({ status: 404, body: { error: `there is no label ${id}` } });
    }
  });
});

describe('the labels of a version', () => {
  const paths = [VERSION, VERSION.replace('/v2.0', '')];

  it.each(paths)('are added, listed by name and taken away at %s', async (path) => {
    const [approved, mine] = [await made(everybodys), await made({ ...orgs, name: 'a mine' })];
    expect(await send('reader', 'GET', path)).toMatchObject({ status: 200, body: [] });
    for (const id of [approved, mine]) {
      const answer = await send('publisher', 'POST', path, { id });
      expect(answer).toMatchObject({ status: 200, headers: { location: `${path}/${id}` }, body: undefined });
    }
    const { body } = await send('reader', 'GET', path);
    expect(body).toMatchObject([
      { id: mine, name: 'a mine', scope: 'p' },
      { id: approved, name: 'approved' },
    ]);
    expect(await namesOn(path.replace('1.0.0', '1.1.0'))).toEqual([]);
    const removed = await send('publisher', 'DELETE', `${path}/${mine}`);
    expect(removed).toMatchObject({ status: 200, body: undefined });
    expect(await namesOn(path)).toEqual(['approved']);
  });

  it.each([
    { who: 'anonymous', read: 401, write: 401 },
    { who: 'nobody', read: 404, write: 404 },
    { who: 'stranger', read: 404, write: 404 },
    { who: 'reader', read: 200, write: 403 },
    { who: 'publisher', read: 200, write: 200 },
    { who: 'maintainer', read: 200, write: 200 },
    { who: 'org-admin', read: 200, write: 200 },
    { who: 'admin', read: 200, write: 200 },
  ] as const)('answer $who: $read to reading, $write to the rest', async ({ who, read, write }) => {
    const [first, second] = [await made(everybodys), await made(orgs)];
    await send('admin', 'POST', VERSION, { id: first });
    const { items } = contents(chartroom);
    expect(await statusOf(who, 'GET', VERSION)).toBe(read);
    expect(await statusOf(who, 'POST', VERSION, { id: second })).toBe(write);
    expect(await statusOf(who, 'DELETE', `${VERSION}/${first}`)).toBe(write);
    if (write !== 200) expect(contents(chartroom).items).toEqual(items);
  });

  it.each([
    { why: 'a label that is not there', body: { id: 4711 }, status: 404, error: 'there is no label 4711' },
    { why: 'a number as a text', body: { id: '1' }, status: 400, error: 'as {"id": 1}' },
    { why: 'no id', body: {}, status: 400, error: 'as {"id": 1}' },
    { why: 'no object', body: null, status: 400, error: 'as {"id": 1}' },
  ])('refuse $why', async ({ body, status, error }) => {
    const before = contents(chartroom);
    const answer = await send('admin', 'POST', VERSION, body);
    expect(answer).toMatchObject({ status, body: { error: expect.stringContaining(error) } });
    expect(contents(chartroom)).toEqual(before);
  });

  it('refuse what is no JSON', async () => {
    const { status } = await chartroom.send('POST', VERSION, { headers: headersOf('admin'), body: '{"id":' });
    expect(status).toBe(400);
  });

  it('refuse the label of another project, which is not there for who may not see it', async () => {
    const id = await made({ ...orgs, project_id: otherId });
    const before = contents(chartroom);
    expect(await send('admin', 'POST', VERSION, { id })).toMatchObject({
      status: 400,
      body: { error: `label ${id} is one of project other` },
    });
    expect(await statusOf('maintainer', 'POST', VERSION, { id })).toBe(404);
    expect(contents(chartroom)).toEqual(before);
  });

  it('refuse one that is attached already, and the removal of one that is not', async () => {
    const id = await made(everybodys);
    expect(await statusOf('admin', 'DELETE', `${VERSION}/${id}`)).toBe(404);
    await send('admin', 'POST', VERSION, { id });
    const again = await send('admin', 'POST', VERSION, { id });
    expect(again).toMatchObject({ status: 409, body: { errors: [{ code: 'CONFLICT' }] } });
    expect(await namesOn()).toEqual(['approved']);
    expect(await statusOf('admin', 'DELETE', `${VERSION}/x`)).toBe(404);
  });

  it.each(['9.9.9', 'latest', '^1', 'x'])('know no version %s', async (version) => {
    const id = await made(everybodys);
    const path = VERSION.replace('1.0.0', version);
    const before = contents(chartroom);
    for (const [method, at] of [
      ['GET', path],
      ['POST', path],
      ['DELETE', `${path}/${id}`],
    ] as const) {
      const { status, body } = await send('admin', method, at, method === 'POST' ? { id } : undefined);
      expect([status, body.error]).toEqual([404, expect.stringContaining(`demo has no version ${version}`)]);
    }
    expect(contents(chartroom)).toEqual(before);
  });

  it('are 50 at most, of which those that were deleted take no room', async () => {
    const ids: number[] = [];
    for (let n = 0; n < 51; n += 1) ids.push(await made({ ...everybodys, name: `l${n}` }));
    const last = ids.pop();
    for (const id of ids) expect(await statusOf('admin', 'POST', VERSION, { id })).toBe(200);
    const full = await send('admin', 'POST', VERSION, { id: last });
    expect(full).toMatchObject({ status: 400, body: { error: expect.stringContaining('50 labels') } });
    await send('admin', 'DELETE', `${LABELS}/${ids[0]}`);
    expect(await statusOf('admin', 'POST', VERSION, { id: last })).toBe(200);
    const names: string[] = await namesOn();
    expect(names).toHaveLength(50);
    expect(names).toContain('l50');
  });

  it('stay when it is overwritten, go when it is deleted, and are not shown when they are', async () => {
    const [kept, gone] = [await made(everybodys), await made({ ...everybodys, name: 'gone' })];
    for (const id of [kept, gone]) await send('admin', 'POST', VERSION, { id });
    await publishTo(chartroom, '1.0.0', 'another package');
    expect(await namesOn()).toEqual(['approved', 'gone']);
    await send('admin', 'DELETE', `${LABELS}/${gone}`);
    expect(await namesOn()).toEqual(['approved']);
    // Its id is still there, and can be taken away.
    expect(await statusOf('publisher', 'DELETE', `${VERSION}/${gone}`)).toBe(200);
    await chartroom.send('DELETE', '/api/org/charts/demo/1.0.0', { headers: headersOf('admin') });
    expect(await statusOf('admin', 'GET', VERSION)).toBe(404);
    await publishTo(chartroom, '1.0.0');
    expect(await namesOn()).toEqual([]);
  });

  it('are shown with the versions of a chart, and with one version', async () => {
    const [approved, mine] = [await made(everybodys), await made({ ...orgs, name: 'a mine' })];
    const gone = await made({ ...everybodys, name: 'gone' });
    for (const id of [approved, mine, gone]) await send('publisher', 'POST', VERSION, { id });
    await send('admin', 'DELETE', `${LABELS}/${gone}`);
    const shown = (await send('reader', 'GET', VERSION)).body;
    expect(shown.map(({ id }: { id: number }) => id)).toEqual([mine, approved]);
    const chart = '/api/chartrepo/org/charts/demo';
    const { body: all } = await send('reader', 'GET', chart);
    expect(all).toMatchObject([
      { version: '1.1.0', labels: [] },
      { version: '1.0.0', labels: shown },
    ]);
    for (const [version, labels] of [
      ['1.0.0', shown],
      ['1.1.0', []],
    ]) {
      expect((await send('reader', 'GET', `${chart}/${version}`)).body).toMatchObject({ labels });
    }
  });

  it('are found without reading those of other projects', async () => {
    const mine = await made(orgs);
    await made({ ...orgs, project_id: otherId });
    const asked: unknown[] = [];
    const labels: Pick<typeof chartroom.labels, 'in'> = {
      in: (project) => {
        asked.push(project);
        return chartroom.labels.in(project);
      },
    };
    const version = parseChartVersion('1.0.0');
    const found = await labelsOf({ labels }, org, [{ version, labels: [mine] }]);
    expect(found.get(version)).toMatchObject([{ id: mine, project: 'org' }]);
    expect(asked).toEqual([undefined, org]);
  });

  it('are shown nowhere else', async () => {
    await send('publisher', 'POST', VERSION, { id: await made(everybodys) });
    for (const path of ['/api/org/charts/demo', '/api/org/charts/demo/1.0.0', '/api/org/charts']) {
      expect(JSON.stringify((await send('reader', 'GET', path)).body)).not.toContain('labels');
    }
  });

  it('change nothing of the index', async () => {
    const index = () => chartroom.send('GET', '/org/index.yaml', { headers: headersOf('reader') });
    const before = await index();
    const id = await made(everybodys);
    await send('admin', 'POST', VERSION, { id });
    expect(chartroom.versions.items().filter(({ unindexed }) => unindexed !== undefined)).toEqual([]);
    expect(await index()).toEqual(before);
  });
});

describe('the audit', () => {
  it('tells who made, changed and deleted a label', async () => {
    await made(orgs);
    await send('maintainer', 'PUT', `${LABELS}/1`, { name: 'rejected' });
    await send('reader', 'DELETE', `${LABELS}/1`);
    await send('org-admin', 'DELETE', `${LABELS}/1`);
    const changes = await collect(chartroom.audit.read({ repository: org }, {}));
    const ofLabels = changes.filter(({ action }) => action.startsWith('label_'));
    const told = ofLabels.map(({ action, by, ...rest }) => ({
      action,
      account: by.account,
      detail: 'detail' in rest ? rest.detail : undefined,
    }));
    expect(told).toHaveLength(3);
    const text = { description: '', color: '' };
    expect(told).toEqual(
      expect.arrayContaining([
        { action: 'label_created', account: 'admin', detail: { label: 1, name: 'approved', ...text } },
        { action: 'label_changed', account: 'maintainer', detail: { label: 1, name: 'rejected', ...text } },
        { action: 'label_deleted', account: 'org-admin', detail: { label: 1, name: 'rejected' } },
      ]),
    );
  });
});
