import { describe, expect, it } from 'vitest';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { aPackage } from '../packages.ts';
import { aChartroom, aForm, type Chartroom, contents, jsonHeaders, publish, refusal } from './chartroom.ts';

const binary = { 'content-type': 'application/octet-stream' };

async function put(chartroom: Chartroom, settings: unknown, repository = '') {
  const body = typeof settings === 'string' ? settings : JSON.stringify(settings);
  const headers = { 'content-type': 'application/json' };
  return await chartroom.send('PUT', `/-/settings${repository}`, { headers, body });
}

async function upload(chartroom: Chartroom, shape: Parameters<typeof aPackage>[0], path = '/api/charts') {
  return await chartroom.send('POST', path, { headers: binary, body: await aPackage(shape) });
}

const versions = async (chartroom: Chartroom, name = 'demo') => {
  const { body } = await chartroom.send('GET', `/api/charts/${name}`);
  return (JSON.parse(body) as { version: string }[]).map(({ version }) => version);
};

describe('/-/settings{repository}', () => {
  it('answers what was put, and nothing where nothing was', async () => {
    const chartroom = aChartroom();
    expect((await chartroom.send('GET', '/-/settings/org/team')).body).toBe('{}');
    const said = { allowOverwrite: true, maxVersions: 3 };
    expect(await put(chartroom, said, '/org/team')).toMatchObject({
      status: 200,
      body: JSON.stringify(said),
    });
    expect((await chartroom.send('GET', '/-/settings/org/team')).body).toBe(JSON.stringify(said));
    expect((await chartroom.send('GET', '/-/settings/org')).body).toBe('{}');
  });

  it('takes the place of all that was said before', async () => {
    const chartroom = aChartroom();
    await put(chartroom, { allowOverwrite: true });
    await put(chartroom, { strictSemver: true });
    expect((await chartroom.send('GET', '/-/settings')).body).toBe('{"strictSemver":true}');
  });

  it.each([
    {
      why: 'an unknown setting',
      body: { allowOverwrites: true },
      says: /no setting "allowOverwrites".*allowOverwrite, /,
    },
    { why: 'a name that every object has', body: '{"__proto__":1}', says: /no setting "__proto__"/ },
    { why: 'a value that cannot be', body: { maxVersions: 1.5 }, says: /"maxVersions" cannot be 1.5/ },
    { why: 'no UUID', body: { artifactHubRepositoryId: 'mine' }, says: /"artifactHubRepositoryId"/ },
    { why: 'signatures without keys', body: { requireSigned: true }, says: /go together/ },
    { why: 'keys for no signature', body: { keyRing: 'x' }, says: /go together/ },
    { why: 'a list', body: [], says: /JSON object/ },
    {
      why: 'lists within lists without end',
      body: `{"keyRing":${'['.repeat(400_000)}${']'.repeat(400_000)}}`,
      says: /cannot be an object or a list/,
    },
    {
      why: 'a key ring that takes more than an item holds',
      body: { requireSigned: true, keyRing: '\u0001'.repeat(230_000) },
      says: /more than 350000 bytes/,
    },
    { why: 'no JSON', body: '{allowOverwrite: true}', says: /no JSON/ },
  ])('refuses $why, and says nothing new', async ({ body, says }) => {
    const chartroom = aChartroom();
    await put(chartroom, { maxVersions: 7 });
    const answer = await put(chartroom, body);
    expect(answer).toMatchObject({ status: 400, headers: jsonHeaders });
    expect(JSON.parse(answer.body).error).toMatch(says);
    expect((await chartroom.send('GET', '/-/settings')).body).toBe('{"maxVersions":7}');
  });
});

describe('a repository that says', () => {
  it('allowOverwrite replaces versions without ?force, and another does not', async () => {
    const chartroom = aChartroom();
    await put(chartroom, { allowOverwrite: true }, '/org');
    for (const status of [201, 201]) {
      expect(await upload(chartroom, { description: String(status) }, '/api/org/charts')).toMatchObject({
        status,
      });
    }
    expect(await upload(chartroom, {})).toMatchObject({ status: 201 });
    expect(await upload(chartroom, { description: 'other' })).toMatchObject({ status: 409 });
  });

  it('allowOverwrite false does not follow a deployment that allows it', async () => {
    const chartroom = aChartroom({ deployment: { allowOverwrite: true } });
    await put(chartroom, { allowOverwrite: false });
    await upload(chartroom, {});
    expect(await upload(chartroom, { description: 'other' })).toMatchObject({ status: 409 });
  });

  it('allowForce false replaces nothing, and says so', async () => {
    const chartroom = aChartroom();
    await upload(chartroom, {});
    await put(chartroom, { allowForce: false });
    const answer = await upload(chartroom, { description: 'other' }, '/api/charts?force');
    const message =
      'demo 1.0.0 already exists with other bytes, and nothing is replaced here: publish a new version';
    expect(answer).toMatchObject({ status: 409, body: refusal('CONFLICT', message) });
  });

  it.each(['/api/charts/demo/1.0.0', '/api/charts/demo'])('allowDelete false keeps %s', async (path) => {
    const chartroom = aChartroom();
    await upload(chartroom, {});
    await put(chartroom, { allowDelete: false });
    const before = contents(chartroom);
    expect(await chartroom.send('DELETE', path)).toMatchObject({
      status: 405,
      headers: { ...jsonHeaders, allow: 'GET, HEAD' },
    });
    expect(contents(chartroom)).toEqual(before);
  });

  it.each(['1', '1.2', 'v1.2.3', '01.2.3'])('strictSemver refuses %s', async (version) => {
    const chartroom = aChartroom({ deployment: { strictSemver: true } });
    const answer = await upload(chartroom, { version });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body).error).toContain(`"${version}" is not a version as semver.org has it`);
    expect(chartroom.versions.items()).toEqual([]);
  });

  it.each(['1.2.3', '0.0.0-rc.1+build.7', '1.0.0+b'])('strictSemver takes %s', async (version) => {
    const chartroom = aChartroom({ deployment: { strictSemver: true } });
    expect((await upload(chartroom, { version })).status).toBe(201);
  });
});

describe('maxVersionsPerChart', () => {
  it('keeps the last published versions of each chart, whatever their numbers', async () => {
    const chartroom = aChartroom({ deployment: { maxVersionsPerChart: 2 } });
    await upload(chartroom, { name: 'other' });
    for (const version of ['3.0.0', '2.0.0', '1.0.0']) {
      chartroom.clock.advance(1_000);
      expect((await upload(chartroom, { version })).status).toBe(201);
    }
    expect(await versions(chartroom)).toEqual(['2.0.0', '1.0.0']);
    expect(await versions(chartroom, 'other')).toEqual(['1.0.0']);
    expect((await chartroom.send('GET', '/charts/demo-3.0.0.tgz')).status).toBe(404);
    expect([...chartroom.objects.objects.keys()].filter((key) => key.includes('/3.0.0/'))).toEqual([]);
  });

  it('keeps the higher versions of those that have the same instant', async () => {
    const chartroom = aChartroom({ deployment: { maxVersionsPerChart: 2 } });
    for (const version of ['10.0.0', '11.0.0', '8.0.0', '9.0.0']) await upload(chartroom, { version });
    expect(await versions(chartroom)).toEqual(['11.0.0', '10.0.0']);
  });

  it('deletes nothing before the new version is there', async () => {
    const chartroom = aChartroom({ deployment: { maxVersionsPerChart: 1 } });
    await upload(chartroom, {});
    const { commit } = chartroom.versions;
    chartroom.versions.commit = async (id, pending) => {
      expect((await chartroom.versions.get({ ...id, version: '1.0.0' as never }))?.live).toBeDefined();
      return await commit(id, pending);
    };
    expect((await upload(chartroom, { version: '2.0.0' })).status).toBe(201);
    expect(await versions(chartroom)).toEqual(['2.0.0']);
  });

  it('does not take back a publish when the oldest cannot be deleted', async () => {
    const chartroom = aChartroom({ deployment: { maxVersionsPerChart: 1 } });
    await upload(chartroom, {});
    chartroom.versions.remove = async () => {
      throw new Error('throttled');
    };
    expect((await upload(chartroom, { version: '2.0.0' })).status).toBe(201);
    expect(await versions(chartroom)).toEqual(['2.0.0', '1.0.0']);
    expect(chartroom.notices).toMatchObject([{ kind: 'clean_up_failed' }]);
  });
});

describe('indexVersionsPerChart', () => {
  async function withThree() {
    const chartroom = aChartroom({ deployment: { indexVersionsPerChart: 1 } });
    for (const version of ['1.0.0', '3.0.0', '2.0.0']) {
      await publish(chartroom, await aPackage({ version }), '/api/org/charts');
      chartroom.clock.advance(1_000);
    }
    return chartroom;
  }
  const json = async (chartroom: Chartroom, path: string) =>
    JSON.parse((await chartroom.send('GET', path)).body);
  const found = (entries: readonly { version: string }[]) => entries.map(({ version }) => version);
  const all = ['3.0.0', '2.0.0', '1.0.0'];

  it('leaves the older ones out of the index and what is made of it, and nothing else', async () => {
    const chartroom = await withThree();
    expect(found((await json(chartroom, '/org/index.yaml')).entries.demo)).toEqual(['3.0.0']);
    expect(found((await json(chartroom, '/chartrepo/index.yaml')).entries['org/demo'])).toEqual(['3.0.0']);
    expect(found((await json(chartroom, '/api/org/charts')).demo)).toEqual(['3.0.0']);
    expect(found(await json(chartroom, '/api/org/charts/demo'))).toEqual(all);
    expect(found(await json(chartroom, '/api/chartrepo/org/charts/demo'))).toEqual(all);
    expect(found((await json(chartroom, '/org/charts/demo/index.yaml')).entries.demo)).toEqual(all);
    expect((await chartroom.send('GET', '/org/charts/demo-1.0.0.tgz')).status).toBe(302);
    expect((await chartroom.send('GET', '/api/org/charts/demo/1.0.0/chart')).status).toBe(200);
  });

  it("counts all of them for maxVersions, and for Harbor's clients", async () => {
    const chartroom = await withThree();
    await put(chartroom, { maxVersions: 4 }, '/org');
    await chartroom.send('GET', '/org/index.yaml');
    expect(await json(chartroom, '/api/chartrepo/org/charts')).toMatchObject([
      { name: 'demo', total_versions: 3, latest_version: '3.0.0' },
    ]);
    expect(await json(chartroom, '/api/v2.0/projects/org')).toMatchObject({ chart_count: 1 });
    expect((await upload(chartroom, { version: '4.0.0' }, '/api/org/charts')).status).toBe(201);
    await chartroom.send('GET', '/org/index.yaml');
    expect((await upload(chartroom, { version: '5.0.0' }, '/api/org/charts')).status).toBe(507);
  });

  it('asks for a new index where a repository says another number, and only there', async () => {
    const chartroom = await withThree();
    await chartroom.send('GET', '/org/index.yaml');
    const isAsked = () => chartroom.objects.objects.has(rebuildRequestKey(parseRepository(['org'])));
    await put(chartroom, { strictSemver: true }, '/org');
    expect(isAsked()).toBe(false);
    await put(chartroom, { indexVersionsPerChart: 0 }, '/org');
    expect(isAsked()).toBe(true);
    // Until the indexer is there.
    expect(found((await json(chartroom, '/org/index.yaml')).entries.demo)).toEqual(['3.0.0']);
  });
});

describe('maxVersions', () => {
  const full = (holds: number, may: number) =>
    `repo has reached storage limit: it holds ${holds} versions and may hold ${may}: delete some, or raise its setting "maxVersions"`;

  it.each(['raw', 'in a form'])('refuses one version more, %s, and stores nothing', async (how) => {
    const chartroom = aChartroom({ deployment: { maxVersions: 2 } });
    await upload(chartroom, { version: '1.0.0' });
    await upload(chartroom, { version: '2.0.0' });
    await chartroom.send('GET', '/index.yaml');
    const before = contents(chartroom);
    const body = await aPackage({ version: '3.0.0' });
    const sent =
      how === 'raw' ? { headers: binary, body } : aForm({ field: 'chart', file: 'x', content: body });
    expect(await chartroom.send('POST', '/api/charts', sent)).toMatchObject({
      status: 507,
      body: refusal('INSUFFICIENT_STORAGE', full(2, 2)),
    });
    expect(contents(chartroom)).toEqual(before);
  });

  it('counts what no index lists yet', async () => {
    const chartroom = aChartroom({ deployment: { maxVersions: 2 } });
    await upload(chartroom, { version: '1.0.0' });
    await chartroom.send('GET', '/index.yaml');
    await upload(chartroom, { version: '2.0.0' });
    expect(await upload(chartroom, { version: '3.0.0' })).toMatchObject({
      status: 507,
      body: refusal('INSUFFICIENT_STORAGE', full(1, 2)),
    });
  });

  it('waits for an index before it takes a delete for a version', async () => {
    const chartroom = aChartroom({ deployment: { maxVersions: 2 } });
    await upload(chartroom, { version: '1.0.0' });
    await upload(chartroom, { version: '2.0.0' });
    await chartroom.send('GET', '/index.yaml');
    await chartroom.send('DELETE', '/api/charts/demo/1.0.0');
    const { sleep } = chartroom.clock;
    chartroom.clock.sleep = async (milliseconds) => {
      // Who reads may sleep too.
      chartroom.clock.sleep = sleep;
      await chartroom.send('GET', '/index.yaml');
      await sleep(milliseconds);
    };
    expect((await upload(chartroom, { version: '3.0.0' })).status).toBe(201);
  });

  it('lets a version in for which the oldest of its chart goes', async () => {
    const chartroom = aChartroom({ deployment: { maxVersions: 2, maxVersionsPerChart: 2 } });
    for (const version of ['1.0.0', '2.0.0', '3.0.0']) {
      chartroom.clock.advance(1_000);
      expect((await upload(chartroom, { version })).status).toBe(201);
    }
    expect(await versions(chartroom)).toEqual(['3.0.0', '2.0.0']);
    expect((await upload(chartroom, { name: 'other' })).status).toBe(507);
  });

  it('lets a version be replaced', async () => {
    const chartroom = aChartroom({ deployment: { maxVersions: 1 } });
    await upload(chartroom, {});
    expect((await upload(chartroom, { description: 'other' }, '/api/charts?force')).status).toBe(201);
    expect((await upload(chartroom, { description: 'other' })).status).toBe(409);
  });
});

describe('form fields of a deployment', () => {
  const formFields = { chart: 'package', prov: 'signature' };

  it.each(['package', 'chart'])('carry a package in %s', async (field) => {
    const chartroom = aChartroom({ formFields });
    const form = aForm({ field, file: 'x.tgz', content: await aPackage() });
    expect((await chartroom.send('POST', '/api/charts', form)).status).toBe(201);
    expect(await versions(chartroom)).toEqual(['1.0.0']);
  });

  it('are named where none of them is there', async () => {
    const chartroom = aChartroom({ formFields });
    const answer = await chartroom.send(
      'POST',
      '/api/charts',
      aForm({ field: 'x', file: 'x', content: 'x' }),
    );
    const message = 'no package or provenance file found in form fields package and signature';
    expect(answer).toMatchObject({ status: 400, body: refusal('BAD_REQUEST', message) });
  });
});

describe('without the API', () => {
  it('whatever is below /api is not known', async () => {
    const chartroom = aChartroom({ apiEnabled: false });
    for (const method of ['PATCH', 'PUT']) {
      expect((await chartroom.send(method, '/api/charts')).status).toBe(404);
    }
    expect((await chartroom.send('PATCH', '/index.yaml')).status).toBe(405);
    expect((await chartroom.send('GET', '/')).body).not.toContain('/api/');
  });
});

describe('GET /{repository}/artifacthub-repo.yml', () => {
  it.each([
    { repository: '', path: '/artifacthub-repo.yml' },
    { repository: '', path: '/charts/artifacthub-repo.yml' },
    { repository: '/a/b/c', path: '/a/b/c/artifacthub-repo.yml' },
  ])('answers $path with the ID that the repository says', async ({ repository, path }) => {
    const chartroom = aChartroom();
    const id = '5dc2b5cd-5ba7-4e6e-a1ba-3b5d3a1ac0a5';
    const missing = refusal('NOT_FOUND', 'Artifact Hub repository ID not found');
    expect(await chartroom.send('GET', path)).toMatchObject({ status: 404, body: missing });
    await put(chartroom, { artifactHubRepositoryId: id }, repository);
    expect(await chartroom.send('GET', path)).toMatchObject({
      status: 200,
      headers: { 'content-type': 'application/x-yaml' },
      body: `repositoryID: ${id}\n`,
    });
    expect((await chartroom.send('GET', path.replace('.yml', '.yaml'))).status).toBe(404);
  });
});

describe('what a package holds', () => {
  const files = {
    'README.md': '# Demo\n',
    'values.yaml': '# comment\na: 1\n',
    'values.schema.json': '{"type":"object"}',
    'templates/x.yaml': 'kind: X\n',
  };
  const chartYaml = 'apiVersion: v2\nname: "demo"\nversion: "1.0.0"\ndescription: "a chart"\n';

  it.each([
    { of: 'readme', type: 'text/markdown; charset=utf-8', body: '# Demo\n' },
    { of: 'schema', type: 'application/schema+json', body: '{"type":"object"}' },
    { of: 'chart', type: 'application/yaml', body: chartYaml },
    {
      of: 'files',
      type: 'application/json; charset=utf-8',
      body: `{"files":[{"name":"Chart.yaml","size":${chartYaml.length}},{"name":"README.md","size":7},{"name":"values.yaml","size":15},{"name":"values.schema.json","size":17},{"name":"templates/x.yaml","size":8}]}`,
    },
  ])('is answered as …/$of, for latest too', async ({ of, type, body }) => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ files }));
    for (const version of ['1.0.0', 'latest']) {
      const answer = await chartroom.send('GET', `/api/charts/demo/${version}/${of}`);
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': type }, body });
    }
    expect((await chartroom.send('GET', `/api/charts/demo/2.0.0/${of}`)).status).toBe(404);
  });

  it('leaves out templates that no answer could carry, and says so', async () => {
    const chartroom = aChartroom();
    const template = 'a: 1\n'.repeat(300_000);
    const templates = ['a', 'b', 'c'].map((name) => [`templates/${name}.yaml`, template]);
    await publish(chartroom, await aPackage({ files: Object.fromEntries(templates) }));
    expect(await chartroom.send('GET', '/api/charts/demo/1.0.0/templates')).toMatchObject({ status: 413 });
    expect(await chartroom.send('GET', '/api/charts/demo/1.0.0/chart')).toMatchObject({ status: 200 });
  });

  it.each([
    { of: 'readme', message: 'README not found: the package has none' },
    { of: 'schema', message: 'values.schema.json not found' },
  ])('is 404 as …/$of where the package has none', async ({ of, message }) => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage());
    expect(await chartroom.send('GET', `/api/charts/demo/1.0.0/${of}`)).toMatchObject({
      status: 404,
      body: refusal('NOT_FOUND', message),
    });
  });
});
