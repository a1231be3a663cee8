import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import { numberOf } from '../../shared/domain/project.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { putRepository } from '../../shared/known-repositories.ts';
import { searchCharts } from '../../shared/search-charts.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import {
  aChartroom,
  adminPassword,
  basic,
  type Chartroom,
  jsonHeaders,
  publish,
  readHeaders,
} from './chartroom.ts';

type Found = {
  readonly project: readonly { readonly name: string }[];
  readonly repository: readonly unknown[];
  readonly chart: readonly { readonly Name: string; readonly Score: number; readonly Chart: object }[];
};

const admin = basic('admin', adminPassword);
const project = (name: string) => parseRepository([name]);

async function find(chartroom: Chartroom, query: string, headers = {}): Promise<Found> {
  const { status, body } = await chartroom.send('GET', `/api/v2.0/search${query}`, { headers });
  if (status !== 200) throw new Error(`${status} ${body}`);
  return JSON.parse(body) as Found;
}

const namesIn = ({ project: projects, chart }: Found) => ({
  projects: projects.map(({ name }) => name),
  charts: chart.map(({ Name }) => Name),
});

const withKeywords = (name: string, keywords: string) =>
  aPackage({
    name,
    files: { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0\nkeywords: ${keywords}\n` },
  });

/** Redis in two projects, and others that speak of it. */
async function withCharts(options: Parameters<typeof aChartroom>[0] = {}) {
  const chartroom = aChartroom(options);
  const put = async (path: string, bytes: Promise<Buffer>) =>
    await publish(chartroom, await bytes, `/api/${path}/charts`);
  await put('cache', aPackage({ name: 'redis', version: '1.9.0' }));
  await put('cache', aPackage({ name: 'redis', version: '1.10.0' }));
  await put('cache', aPackage({ name: 'keydb', description: 'Like Redis' }));
  await put('redis-team', aPackage({ name: 'proxy', version: '2.0.0-rc.1' }));
  await put('web', aPackage({ name: 'nginx', description: 'a (web) server' }));
  await put('web/deep', aPackage({ name: 'redis' }));
  return chartroom;
}

describe.each([
  { format: 'JSON', settings: {} },
  { format: 'block YAML', settings: { format: 'yaml' } as const },
])('GET /api/v2.0/search, with indexes in $format', ({ settings }) => {
  it('finds charts by project, name and description, in any case, and projects by name', async () => {
    const chartroom = await withCharts({ settings });
    expect(namesIn(await find(chartroom, '?q=REDIS'))).toEqual({
      projects: ['redis-team'],
      charts: ['cache/keydb', 'cache/redis', 'redis-team/proxy'],
    });
    expect(namesIn(await find(chartroom, '?q=e/r'))).toEqual({ projects: [], charts: ['cache/redis'] });
  });

  it('finds charts by keywords', async () => {
    const chartroom = aChartroom({ settings });
    await publish(chartroom, await withKeywords('mysql', '[SQL, database]'), '/api/data/charts');
    await publish(chartroom, await withKeywords('etcd', '[]'), '/api/data/charts');
    expect(namesIn(await find(chartroom, '?q=sql%20data')).charts).toEqual(['data/mysql']);
    expect(namesIn(await find(chartroom, '?q=Base')).charts).toEqual(['data/mysql']);
  });

  it("answers in Harbor's shape, with the newest version", async () => {
    const chartroom = await withCharts({ settings });
    const { status, headers, body } = await chartroom.send('GET', '/api/search?q=redis-team');
    expect({ status, headers }).toEqual({ status: 200, headers: { ...readHeaders, ...jsonHeaders } });
    const [listed] = JSON.parse((await chartroom.send('GET', '/api/redis-team/charts/proxy')).body);
    expect(JSON.parse(body)).toEqual({
      project: [
        expect.objectContaining({
          project_id: numberOf('redis-team'),
          name: 'redis-team',
          chart_count: 1,
          metadata: { public: 'false' },
        }),
      ],
      repository: [],
      chart: [{ Name: 'redis-team/proxy', Score: 0, Chart: { ...listed, labels: [] } }],
    });
    const [, redis] = (await find(chartroom, '?q=redis')).chart;
    expect(redis).toMatchObject({ Name: 'cache/redis', Chart: { name: 'redis', version: '1.10.0' } });
  });

  it.each(['', '?q='])('finds everything where nothing is looked for: "%s"', async (query) => {
    expect(namesIn(await find(await withCharts({ settings }), query))).toEqual({
      projects: ['cache', 'redis-team', 'web'],
      charts: ['cache/keydb', 'cache/redis', 'redis-team/proxy', 'web/nginx'],
    });
  });
});

describe.each([
  {
    format: 'JSON',
    settings: {},
    damages: [
      ['"nginx":[', '"nginx":{'],
      ['"nginx":[', '"other":['],
      ['"description":"a (web) server"', '"description":{"text":"a server"}'],
    ],
  },
  {
    format: 'block YAML',
    settings: { format: 'yaml' } as const,
    damages: [
      ['  "nginx":', '  "nginx" '],
      ['  "nginx":', '  "other":'],
      ['description: "a (web) server"', 'description: ["a", "server"]'],
    ],
  },
])('a search in indexes in $format', ({ settings, damages }) => {
  it.each(damages)('answers 503, and has an index built again that says for %s: %s', async (as, damaged) => {
    const chartroom = await withCharts({ settings });
    const pointer = await currentIndex(chartroom, project('web'));
    const key = `${pointer?.folder}index.yaml`;
    const text = Buffer.from(chartroom.objects.objects.get(key)?.bytes ?? '').toString();
    expect(text).toContain(as);
    const bytes = Buffer.from(text.replace(as, damaged));
    await chartroom.objects.put(key, bytes, { contentType: 'application/x-yaml' });
    const { status, headers, body } = await chartroom.send('GET', '/api/search?q=redis');
    expect([status, headers['retry-after'], body]).toEqual([
      503,
      '5',
      expect.stringContaining('is being rebuilt'),
    ]);
    expect(chartroom.objects.objects.has(rebuildRequestKey(project('web')))).toBe(true);
  });

  it('parses nothing more once it takes longer than a request may last', async () => {
    const chartroom = await withCharts({ settings });
    const paths = ['cache', 'redis-team', 'web'].map(project);
    for (const path of paths) await currentIndex(chartroom, path);
    const slow: typeof chartroom.objects = {
      ...chartroom.objects,
      get: async (key, ...rest) => {
        const bytes = await chartroom.objects.get(key, ...rest);
        if (key.endsWith('/index.yaml')) chartroom.clock.advance(15_000);
        return bytes;
      },
    };
    const searching = searchCharts({ ...chartroom, objects: slow }, paths, () => true);
    await expect(searching).rejects.toMatchObject({ code: 'try_again', retryAfterSeconds: 5 });
  });
});

describe('GET /api/v2.0/search', () => {
  it('takes the text as it stands, and for no pattern', async () => {
    const chartroom = await withCharts();
    expect(namesIn(await find(chartroom, '?q=(web)')).charts).toEqual(['web/nginx']);
    for (const pattern of ['red.s', '.*', 'web(', '(a%2B)%2B%24']) {
      expect(namesIn(await find(chartroom, `?q=${pattern}`)).charts).toEqual([]);
    }
  });

  it('finds what was published, and not what was deleted, just before', async () => {
    const chartroom = await withCharts();
    await find(chartroom, '?q=redis');
    await chartroom.send('DELETE', '/api/cache/charts/redis/1.10.0');
    await chartroom.send('DELETE', '/api/cache/charts/keydb');
    await publish(chartroom, await aPackage({ name: 'redis' }), '/api/new/charts');
    const { chart } = await find(chartroom, '?q=/redis');
    expect(chart.map(({ Name, Chart }) => [Name, Chart])).toEqual([
      ['cache/redis', expect.objectContaining({ version: '1.9.0' })],
      ['new/redis', expect.objectContaining({ version: '1.0.0' })],
    ]);
  });

  it('looks into what its caller may read alone', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    for (const name of ['open', 'secret']) {
      await putRepository(chartroom, project(name), { restore: false, by: somebody });
      await chartroom.publish('redis', '1.0.0', '', project(name));
    }
    expect(await find(chartroom, '?q=redis')).toEqual({ project: [], repository: [], chart: [] });
    await chartroom.repositorySettings.put(project('open'), { anonymousRead: true }, anAccessChange());
    expect(namesIn(await find(chartroom, ''))).toEqual({ projects: ['open'], charts: ['open/redis'] });
    expect(namesIn(await find(chartroom, '?q=redis', admin)).charts).toEqual(['open/redis', 'secret/redis']);
  });

  it('gives the first 1,000 charts', async () => {
    const chartroom = aChartroom();
    for (const name of ['a', 'b']) {
      await putRepository(chartroom, project(name), { restore: false, by: somebody });
      for (let at = 0; at < 600; at += 1) await chartroom.publish(`c${at}`, '1.0.0', '', project(name));
    }
    const { chart } = await find(chartroom, '');
    expect([chart.length, chart.filter(({ Name }) => Name.startsWith('a/')).length]).toEqual([1000, 600]);
  });

  it('gives no more than an answer carries', async () => {
    const chartroom = aChartroom();
    await putRepository(chartroom, project('a'), { restore: false, by: somebody });
    for (let at = 0; at < 70; at += 1) {
      await chartroom.publish(`c${at}`, '1.0.0', '"'.repeat(50_000), project('a'));
    }
    const { chart } = await find(chartroom, '');
    expect(chart.length).toBeGreaterThan(10);
    expect(chart.length).toBeLessThan(70);
  });

  it('answers 503, and leaves no project out, where an index is lost', async () => {
    const chartroom = await withCharts();
    const pointer = await currentIndex(chartroom, project('web'));
    chartroom.objects.lose(`${pointer?.folder}index.yaml`);
    const { status, headers } = await chartroom.send('GET', '/api/search?q=redis');
    expect([status, headers['retry-after']]).toEqual([503, '5']);
  });
});
