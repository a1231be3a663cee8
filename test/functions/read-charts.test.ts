import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import { aPackage } from '../packages.ts';
import { versionId } from '../use-cases/world.ts';
import {
  aChartroom,
  answerHeaders,
  type Chartroom,
  jsonHeaders,
  publish,
  readHeaders,
  refusal,
} from './chartroom.ts';

/** A Chartroom whose repository `acme` has these charts, published one second apart. */
async function withCharts(...charts: readonly (readonly [string, string])[]): Promise<Chartroom> {
  const chartroom = aChartroom();
  for (const [name, version] of charts) {
    await publish(chartroom, await aPackage({ name, version }), '/api/acme/charts');
    chartroom.clock.advance(1_000);
  }
  return chartroom;
}

const notFound = (message: string) => ({
  status: 404,
  headers: jsonHeaders,
  body: refusal('NOT_FOUND', message),
});

const badRequest = (message: string) => ({
  status: 400,
  headers: jsonHeaders,
  body: refusal('BAD_REQUEST', message),
});

describe('GET /api/{repository}/charts/{name}/{version}', () => {
  it('answers the entry of a version, fields in the order of ChartMuseum', async () => {
    const chartroom = await withCharts(['redis', '1.0.0']);
    const digest = chartroom.versions.items()[0]?.live?.digest;
    expect(await chartroom.send('GET', '/api/acme/charts/redis/1.0.0')).toEqual({
      status: 200,
      headers: { ...jsonHeaders, ...readHeaders },
      body: `{"name":"redis","version":"1.0.0","description":"a chart","apiVersion":"v2","urls":["charts/redis-1.0.0.tgz"],"created":"2026-01-02T03:04:05.678Z","digest":"${digest}"}`,
    });
  });

  it('answers HEAD with the headers of GET and its length', async () => {
    const chartroom = await withCharts(['redis', '1.0.0']);
    const { body } = await chartroom.send('GET', '/api/acme/charts/redis/1.0.0');
    expect(await chartroom.send('HEAD', '/api/acme/charts/redis/1.0.0')).toEqual({
      status: 200,
      headers: { ...jsonHeaders, ...readHeaders, 'content-length': String(body.length) },
      body: '',
    });
  });

  it('begins URLs with the chart URL of the settings', async () => {
    const settings = { chartUrl: 'https://cdn.example.org', contextPath: '/helm' };
    const chartroom = aChartroom({ settings });
    await publish(chartroom, await aPackage({ name: 'redis' }), '/api/acme/charts');
    const { body } = await chartroom.send('GET', '/api/acme/charts/redis/1.0.0');
    expect(JSON.parse(body).urls).toEqual(['https://cdn.example.org/helm/acme/charts/redis-1.0.0.tgz']);
  });

  it.each([
    { wanted: 'latest', found: '2.0.0' },
    { wanted: '1.0.0', found: '1.0.0' },
    { wanted: '2.1.0-rc.1', found: '2.1.0-rc.1' },
    { wanted: '%5E1.0', found: '1.1.0+build.2' },
    { wanted: '1.x', found: '1.1.0+build.2' },
    { wanted: '1.1.0+build.1', found: '1.1.0+build.1' },
    { wanted: '1.1.0%2Bbuild.1', found: '1.1.0+build.1' },
    { wanted: 'v1.0.0', found: '1.0.0' },
  ])('reads $wanted as $found', async ({ wanted, found }) => {
    const all = ['1.0.0', '1.1.0+build.1', '1.1.0+build.2', '2.0.0', '2.1.0-rc.1'];
    const chartroom = await withCharts(...all.map((version) => ['redis', version] as const));
    const { status, body } = await chartroom.send('GET', `/api/acme/charts/redis/${wanted}`);
    expect([status, JSON.parse(body).version]).toEqual([200, found]);
  });

  it.each([
    { path: 'nginx/1.0.0', answer: notFound('no chart name found') },
    { path: 'redis/9.9.9', answer: notFound('no chart version found for redis-9.9.9') },
    { path: 'redis/latest', answer: notFound('no chart version found for redis-') },
    { path: 'redis/a-range', answer: notFound('improper constraint: a-range') },
    { path: 'redis/..', answer: badRequest('".." cannot be a version in a path') },
    { path: 'redis/1%2F2', answer: badRequest('"1/2" cannot be a version in a path') },
    { path: '%2E%2E/1.0.0', answer: badRequest('".." cannot be a name in a path') },
    { path: 're%00dis/1.0.0', answer: badRequest('"re\\u0000dis" cannot be a name in a path') },
    { path: 'prov/1.0.0', answer: badRequest('"prov" is reserved and cannot name a chart') },
  ])('refuses $path', async ({ path, answer }) => {
    const chartroom = await withCharts(['redis', '1.0.0-rc.1']);
    expect(await chartroom.send('GET', `/api/acme/charts/${path}`)).toEqual(answer);
  });

  it('answers HEAD of what is not there with 404 and no body', async () => {
    const { status, body } = await aChartroom().send('HEAD', '/api/charts/redis/1.0.0');
    expect([status, body]).toEqual([404, '']);
  });
});

describe('GET /api/{repository}/charts/{name}', () => {
  it('lists versions newest first; of those that differ in build metadata the last created', async () => {
    const all = ['1.0.0+a', '2.0.0-rc.1', '10.0.0', '2.0.0', '1.0.0+b'];
    const chartroom = await withCharts(...all.map((version) => ['redis', version] as const));
    const { status, headers, body } = await chartroom.send('GET', '/api/acme/charts/redis');
    expect({ status, headers }).toEqual({ status: 200, headers: { ...jsonHeaders, ...readHeaders } });
    expect(JSON.parse(body).map(({ version }: { version: string }) => version)).toEqual([
      '10.0.0',
      '2.0.0',
      '2.0.0-rc.1',
      '1.0.0+b',
      '1.0.0+a',
    ]);
  });

  it('leaves out what is deleted or not committed yet', async () => {
    const chartroom = await withCharts(['redis', '1.0.0'], ['redis', '2.0.0']);
    await chartroom.send('DELETE', '/api/acme/charts/redis/2.0.0');
    await chartroom.reserve(versionId('redis', '3.0.0', parseRepository(['acme'])));
    const { body } = await chartroom.send('GET', '/api/acme/charts/redis');
    expect(JSON.parse(body)).toMatchObject([{ version: '1.0.0' }]);
  });

  it.each(['GET', 'HEAD'])('answers 404 to %s of an unknown chart', async (method) => {
    const { status } = await aChartroom().send(method, '/api/charts/redis');
    expect(status).toBe(404);
  });

  it('says that the chart is not there', async () => {
    expect(await aChartroom().send('GET', '/api/charts/redis')).toEqual(notFound('chart not found'));
  });
});

describe('GET /api/{repository}/charts', () => {
  it('answers an empty object for a repository to which nothing was published', async () => {
    expect(await aChartroom().send('GET', '/api/nobody/charts')).toEqual({
      status: 200,
      headers: { ...jsonHeaders, ...readHeaders, etag: expect.stringMatching(/^"0-[^"]+"$/) },
      body: '{}',
    });
  });

  it('lists charts by name, and shows what was published just before', async () => {
    const chartroom = await withCharts(['b', '1.0.0'], ['a', '1.0.0'], ['a', '2.0.0'], ['B', '1.0.0']);
    const { body } = await chartroom.send('GET', '/api/acme/charts');
    expect(Object.entries(JSON.parse(body))).toMatchObject([
      ['B', [{ version: '1.0.0' }]],
      ['a', [{ version: '2.0.0' }, { version: '1.0.0' }]],
      ['b', [{ version: '1.0.0' }]],
    ]);
  });

  it('lists charts whose names mean something to JavaScript', async () => {
    const chartroom = await withCharts(['__proto__', '1.0.0'], ['constructor', '1.0.0'], ['1', '1.0.0']);
    const { body } = await chartroom.send('GET', '/api/acme/charts');
    expect([...body.matchAll(/"([^"]+)":\[\{"name"/g)].map(([, name]) => name)).toEqual([
      '1',
      '__proto__',
      'constructor',
    ]);
  });

  it.each([
    { query: '?limit=2', names: ['a', 'b'] },
    { query: '?limit=2&offset=1', names: ['b', 'c'] },
    { query: '?offset=1', names: ['b', 'c'] },
    { query: '?offset=0', names: ['a', 'b', 'c'] },
    { query: '?limit=1&offset=9', names: [] },
    { query: '?limit=99999999999999999999', names: ['a', 'b', 'c'] },
    { query: '?unknown=1', names: ['a', 'b', 'c'] },
  ])('counts charts, not versions: $query gives $names', async ({ query, names }) => {
    const chartroom = await withCharts(['a', '1.0.0'], ['a', '2.0.0'], ['b', '1.0.0'], ['c', '1.0.0']);
    const { body } = await chartroom.send('GET', `/api/acme/charts${query}`);
    expect(Object.keys(JSON.parse(body))).toEqual(names);
  });

  const limit = 'limit is not a valid positive integer';
  const offset = 'offset is not a valid non-negative integer';
  it.each([
    { query: '?limit=0', message: limit },
    { query: '?limit=-1', message: limit },
    { query: '?limit=', message: limit },
    { query: '?limit=ten', message: limit },
    { query: '?limit=1.5', message: limit },
    { query: '?offset=-1', message: offset },
    { query: '?offset=', message: offset },
  ])('refuses $query', async ({ query, message }) => {
    expect(await aChartroom().send('GET', `/api/charts${query}`)).toEqual(badRequest(message));
  });

  it.each(['json', 'yaml'] as const)(
    'answers the entries that GET of a version does, from %s',
    async (format) => {
      const chartroom = aChartroom({ settings: { format, chartUrl: 'https://cdn.example.org' } });
      const charts = [
        { name: 'a', version: '1.0.0', description: 'yes: "no"\n# é' },
        { name: 'a', version: '1.10.0+b', files: { 'values.yaml': 'a: 1\n' } },
        { name: 'b', version: '1.2.0', description: '1.20' },
      ];
      for (const chart of charts) await publish(chartroom, await aPackage(chart), '/api/acme/charts');
      const entries = await Promise.all(
        charts.map(
          async ({ name, version }) =>
            (await chartroom.send('GET', `/api/acme/charts/${name}/${version}`)).body,
        ),
      );
      const { body } = await chartroom.send('GET', '/api/acme/charts');
      expect(body).toBe(`{"a":[${entries[1]},${entries[0]}],"b":[${entries[2]}]}`);
    },
  );

  it('answers HEAD with the headers of GET and its length', async () => {
    const chartroom = await withCharts(['redis', '1.0.0']);
    const { status, headers, body } = await chartroom.send('GET', '/api/acme/charts');
    expect(headers).toEqual({
      ...jsonHeaders,
      ...readHeaders,
      etag: expect.stringMatching(/^"1-[^"]+"$/),
    });
    expect(await chartroom.send('HEAD', '/api/acme/charts')).toEqual({
      status,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      body: '',
    });
  });

  it('answers 304 to who has the page, until something changes', async () => {
    const chartroom = await withCharts(['a', '1.0.0'], ['b', '1.0.0']);
    const send = async (method: string, query: string, etag?: unknown) =>
      await chartroom.send(
        method,
        `/api/acme/charts${query}`,
        etag ? { headers: { 'if-none-match': String(etag) } } : {},
      );
    const { etag } = (await send('GET', '?limit=1')).headers;
    for (const method of ['GET', 'HEAD']) {
      expect(await send(method, '?limit=1', etag)).toEqual({
        status: 304,
        headers: {
          etag,
          'cache-control': 'no-cache',
          vary: 'Accept-Encoding',
          ...answerHeaders,
        },
        body: '',
      });
    }
    expect((await send('GET', '', etag)).status).toBe(200);
    await publish(chartroom, await aPackage({ name: 'b', version: '2.0.0' }), '/api/acme/charts');
    expect((await send('GET', '?limit=1', etag)).status).toBe(200);
  });

  describe('above 6 MB', () => {
    async function large() {
      const chartroom = aChartroom();
      for (const name of 'abcdefgh') await chartroom.publish(name, '1.0.0', 'x'.repeat(1_000_000));
      return chartroom;
    }

    it('redirects to a signed URL of the whole list', async () => {
      const chartroom = await large();
      expect(await chartroom.send('GET', '/api/charts')).toEqual({
        status: 302,
        headers: {
          location: expect.stringMatching(
            /^https:\/\/bucket\.invalid\/index\/-\/1-[^/]+\/charts\.json\?expires=60$/,
          ),
          etag: expect.stringMatching(/^"1-[^"]+"$/),
          'cache-control': 'no-cache',
          ...answerHeaders,
        },
        body: '',
      });
    });

    it('redirects to a signed URL of a page, and answers a smaller one itself', async () => {
      const chartroom = await large();
      const { headers } = await chartroom.send('GET', '/api/charts?offset=1');
      expect(headers['location']).toMatch(/\/charts-1-7\.json\?expires=60$/);
      const { status, body } = await chartroom.send('GET', '/api/charts?offset=6&limit=2');
      expect([status, Object.keys(JSON.parse(body))]).toEqual([200, ['g', 'h']]);
    });

    it('answers HEAD itself, with the length of what GET leads to', async () => {
      const chartroom = await large();
      const { status, headers, body } = await chartroom.send('HEAD', '/api/charts');
      const stored = [...chartroom.objects.objects].find(([key]) => key.endsWith('/charts.json'));
      expect({ status, headers, body }).toEqual({
        status: 200,
        headers: {
          ...jsonHeaders,
          'content-length': String(stored?.[1].bytes.length),
          'cache-control': 'no-cache',
          etag: expect.stringMatching(/^"1-[^"]+"$/),
        },
        body: '',
      });
    });
  });
});
