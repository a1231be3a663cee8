import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { putAccount } from '../../shared/accounts.ts';
import { currentIndex } from '../../shared/current-index.ts';
import type { Grant } from '../../shared/domain/access.ts';
import { parseAccountName } from '../../shared/domain/account.ts';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { deleteRepository, putRepository } from '../../shared/known-repositories.ts';
import { mergedIndexReader } from '../../shared/merged-index.ts';
import { aPackage } from '../packages.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import {
  aChartroom,
  adminPassword,
  answerHeaders,
  basic,
  type Chartroom,
  publish,
  readHeaders,
} from './chartroom.ts';

const PATH = '/chartrepo/index.yaml';
const HOUR = 60 * 60 * 1000;
const admin = { headers: basic('admin', adminPassword) };
const project = (name: string) => parseRepository([name]);

type Index = {
  readonly entries: Record<string, { name: string; version: string; urls: string[] }[]>;
  readonly generated: string;
};

/** `key name version url` of everything an index lists, in its order. */
const rows = (body: string) =>
  Object.entries((load(body) as Index).entries).flatMap(([key, versions]) =>
    versions.map(({ name, version, urls }) => `${key} ${name} ${version} ${urls.join()}`),
  );

async function put(chartroom: Chartroom, path: string, name: string, version = '1.0.0', description = 'x') {
  await publish(chartroom, await aPackage({ name, version, description }), `/api/${path}/charts`);
}

/** Two projects, and charts that are in none: of the root repository, and deeper. */
async function withProjects(options: Parameters<typeof aChartroom>[0] = {}) {
  const chartroom = aChartroom(options);
  await put(chartroom, 'team', 'redis');
  await put(chartroom, 'team', 'redis', '1.1.0');
  await put(chartroom, 'team-b', 'redis', '2.0.0+x');
  await put(chartroom, 'team', 'nginx');
  await put(chartroom, 'team/deep', 'hidden');
  await publish(chartroom, await aPackage({ name: 'hidden' }), '/api/charts');
  return chartroom;
}

/** The same with closed access, and a reader of one of them. */
async function closedWithProjects() {
  const chartroom = aChartroom({ access: 'closed' });
  for (const name of ['team', 'team-b']) {
    await putRepository(chartroom, project(name), { restore: false, by: somebody });
    await chartroom.publish('redis', '1.0.0', '', project(name));
  }
  const account = async (name: string, grants: readonly Grant[]) =>
    await putAccount(
      { ...chartroom, hashPassword: async (password: string) => `hash of ${password}` },
      parseAccountName(name),
      { kind: 'user', grants, password: 'twelve chars' },
      somebody,
    );
  await account('reader', [{ role: 'reader', on: 'team-b' }]);
  await account('nothing', []);
  return chartroom;
}

/** More than what is answered inline, without one of them too. */
async function withLargeProjects() {
  const chartroom = aChartroom();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
    await put(chartroom, name, 'large', '1.0.0', 'x'.repeat(100_000));
  }
  return chartroom;
}

const storedKeys = ({ objects }: Chartroom) =>
  [...objects.objects.keys()].filter((key) => key.startsWith('merged/'));

describe('GET /chartrepo/index.yaml', () => {
  it('lists the charts of all projects under their names, with addresses below its own', async () => {
    const chartroom = await withProjects();
    const { status, headers, body } = await chartroom.send('GET', PATH);
    expect({ status, headers }).toEqual({
      status: 200,
      headers: { ...readHeaders, 'content-type': 'application/x-yaml' },
    });
    expect(rows(body)).toEqual([
      'team-b/redis redis 2.0.0+x team-b/charts/redis-2.0.0+x.tgz',
      'team/nginx nginx 1.0.0 team/charts/nginx-1.0.0.tgz',
      'team/redis redis 1.1.0 team/charts/redis-1.1.0.tgz',
      'team/redis redis 1.0.0 team/charts/redis-1.0.0.tgz',
    ]);
  });

  it('says when the newest of its parts was generated', async () => {
    const chartroom = await withProjects();
    await chartroom.send('GET', PATH);
    chartroom.clock.advance(HOUR);
    await put(chartroom, 'team', 'more');
    await chartroom.send('GET', '/team/index.yaml');
    chartroom.clock.advance(HOUR);
    const { body } = await chartroom.send('GET', PATH);
    const { body: newest } = await chartroom.send('GET', '/team/index.yaml');
    expect((load(body) as Index).generated).toBe((load(newest) as Index).generated);
  });

  it('is block YAML, or has absolute addresses, where the deployment says so', async () => {
    const settings = { format: 'yaml', chartUrl: 'https://charts.example.org' } as const;
    const chartroom = await withProjects({ settings });
    const { body } = await chartroom.send('GET', PATH);
    expect(body).toMatch(/^apiVersion: "v1"\nentries:\n {2}"team-b\/redis":\n/);
    expect(rows(body)).toContain(
      'team/redis redis 1.1.0 https://charts.example.org/team/charts/redis-1.1.0.tgz',
    );
  });

  it('is an empty index where there is no project', async () => {
    const { status, body } = await aChartroom().send('GET', PATH);
    expect([status, load(body)]).toEqual([200, expect.objectContaining({ apiVersion: 'v1', entries: {} })]);
  });

  it('has what was published, and has not what was deleted, just before', async () => {
    const chartroom = await withProjects();
    await chartroom.send('GET', PATH);
    await put(chartroom, 'new', 'redis');
    await chartroom.send('DELETE', '/api/team/charts/redis');
    await deleteRepository(chartroom, project('team-b'), somebody);
    expect(rows((await chartroom.send('GET', PATH)).body)).toEqual([
      'new/redis redis 1.0.0 new/charts/redis-1.0.0.tgz',
      'team/nginx nginx 1.0.0 team/charts/nginx-1.0.0.tgz',
    ]);
  });

  it('answers HEAD with the headers of GET and its length', async () => {
    const chartroom = await withProjects();
    const { headers, body } = await chartroom.send('GET', PATH);
    expect(await chartroom.send('HEAD', PATH)).toEqual({
      status: 200,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      body: '',
    });
  });

  it('answers 304 without reading an index, until something changes', async () => {
    const chartroom = await withProjects();
    const { headers } = await chartroom.send('GET', PATH);
    const again = { headers: { 'if-none-match': String(headers['etag']) } };
    const indexes = [...chartroom.objects.objects].filter(([key]) => key.startsWith('index/'));
    for (const [key] of indexes) chartroom.objects.lose(key);
    expect(await chartroom.send('GET', PATH, again)).toEqual({
      status: 304,
      headers: {
        etag: headers['etag'],
        'cache-control': 'no-cache',
        vary: 'Accept-Encoding',
        ...answerHeaders,
      },
      body: '',
    });
    await put(chartroom, 'third', 'redis');
    expect((await chartroom.send('GET', PATH, again)).status).not.toBe(304);
  });

  it.each([
    { why: 'its index', file: 'index.yaml' },
    { why: 'what says where its charts are', file: 'ranges.json' },
  ])('answers 503, and leaves no project out, where $why is lost', async ({ file }) => {
    const chartroom = await withProjects();
    const pointer = await currentIndex(chartroom, project('team'));
    chartroom.objects.lose(`${pointer?.folder}${file}`);
    const { status, headers } = await chartroom.send('GET', PATH);
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(chartroom.objects.objects.has(rebuildRequestKey(project('team')))).toBe(true);
  });

  it('answers 503 where an index is not what its ranges say', async () => {
    const chartroom = await withProjects();
    const pointer = await currentIndex(chartroom, project('team'));
    const key = `${pointer?.folder}index.yaml`;
    const { bytes } = chartroom.objects.objects.get(key) ?? {};
    const changed = Buffer.from(bytes ?? '')
      .toString()
      .replace('"urls"', '"uris"');
    await chartroom.objects.put(key, Buffer.from(changed), { contentType: 'application/x-yaml' });
    expect((await chartroom.send('GET', PATH)).status).toBe(503);
  });

  it('answers 503 where the indexes together take longer than a request may last', async () => {
    const chartroom = await withProjects();
    const slow: typeof chartroom.versions = {
      ...chartroom.versions,
      marks: (...args) => {
        chartroom.clock.advance(15_000);
        return chartroom.versions.marks(...args);
      },
    };
    const read = mergedIndexReader({ ...chartroom, versions: slow });
    const reading = read([project('team'), project('team-b')], () => false);
    await expect(reading).rejects.toMatchObject({ code: 'try_again', retryAfterSeconds: 5 });
  });
});

describe('GET /chartrepo/index.yaml of closed access', () => {
  const keys = (body: string) => Object.keys((load(body) as Index).entries);

  it('lists what its caller may read', async () => {
    const chartroom = await closedWithProjects();
    const as = async (name: string) => {
      const { body } = await chartroom.send('GET', PATH, { headers: basic(name, 'twelve chars') });
      return keys(body);
    };
    expect(keys((await chartroom.send('GET', PATH, admin)).body)).toEqual(['team-b/redis', 'team/redis']);
    expect(await as('reader')).toEqual(['team-b/redis']);
    expect(await as('nothing')).toEqual([]);
  });

  it('asks who calls where everybody may read nothing, and lists what everybody may read', async () => {
    const chartroom = await closedWithProjects();
    const asked = await chartroom.send('GET', PATH);
    expect([asked.status, asked.headers['www-authenticate']]).toEqual([401, 'Basic realm="Chartroom"']);
    await chartroom.repositorySettings.put(project('team'), { anonymousRead: true }, anAccessChange());
    const { status, body } = await chartroom.send('GET', PATH);
    expect([status, keys(body)]).toEqual([200, ['team/redis']]);
    const reader = await chartroom.send('GET', PATH, { headers: basic('reader', 'twelve chars') });
    expect(keys(reader.body)).toEqual(['team-b/redis', 'team/redis']);
  });

  it('lists what everybody may read among many that they may not', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const open = new Set(['p0', 'p99', 'p100', 'p149']);
    for (let at = 0; at < 150; at += 1) {
      const path = project(`p${at}`);
      await putRepository(chartroom, path, { restore: false, by: somebody });
      await chartroom.publish('redis', '1.0.0', '', path);
      if (open.has(path))
        await chartroom.repositorySettings.put(path, { anonymousRead: true }, anAccessChange());
    }
    expect(keys((await chartroom.send('GET', PATH)).body)).toEqual(
      [...open].toSorted().map((name) => `${name}/redis`),
    );
  });

  it('gives nobody a 304 for what somebody else may read', async () => {
    const chartroom = await closedWithProjects();
    const { headers } = await chartroom.send('GET', PATH, admin);
    const sent = { ...basic('reader', 'twelve chars'), 'if-none-match': String(headers['etag']) };
    expect((await chartroom.send('GET', PATH, { headers: sent })).status).toBe(200);
  });
});

describe('a large merged index', () => {
  it('is put into the bucket once, and answered by a signed URL', async () => {
    const chartroom = await withLargeProjects();
    const { status, headers, body } = await chartroom.send('GET', PATH);
    const etag = String(headers['etag']);
    expect([status, body]).toEqual([302, '']);
    expect(headers).toEqual({
      location: `https://bucket.invalid/merged/projects/${etag.slice(1, -1)}/index.yaml?expires=300`,
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      'cache-control': 'no-cache',
      ...answerHeaders,
    });
    const stored = [...chartroom.objects.objects].find(([key]) => key.startsWith('merged/'))?.[1];
    expect(stored?.contentType).toBe('application/x-yaml');
    expect(rows(Buffer.from(stored?.bytes ?? '').toString())).toHaveLength(7);
    await chartroom.send('GET', PATH);
    const after = [...chartroom.objects.objects].find(([key]) => key.startsWith('merged/'))?.[1];
    expect(after?.versionId).toBe(stored?.versionId);
  });

  it('is not put any more once making it took longer than a request may last', async () => {
    const chartroom = aChartroom();
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) {
      await put(chartroom, 'team', name, '1.0.0', 'x'.repeat(100_000));
    }
    await currentIndex(chartroom, project('team'));
    let passesMs = 0;
    const objects: typeof chartroom.objects = {
      ...chartroom.objects,
      get: async (key, ...rest) => {
        if (key.endsWith('/index.yaml')) passesMs = 30_000;
        return await chartroom.objects.get(key, ...rest);
      },
    };
    // From the only piece on, time passes after each look at the clock.
    const clock = {
      ...chartroom.clock,
      now: () => {
        const now = chartroom.clock.now();
        chartroom.clock.advance(passesMs);
        return now;
      },
    };
    const read = mergedIndexReader({ ...chartroom, objects, clock });
    await expect(read([project('team')], () => false)).rejects.toMatchObject({ code: 'try_again' });
    expect(storedKeys(chartroom)).toEqual([]);
  });

  it('answers HEAD itself, and 304 to its tag', async () => {
    const chartroom = await withLargeProjects();
    const { status, headers } = await chartroom.send('HEAD', PATH);
    const [key = ''] = storedKeys(chartroom);
    const length = String(chartroom.objects.objects.get(key)?.bytes.length);
    expect([status, headers['content-length'], headers['location']]).toEqual([200, length, undefined]);
    const again = { headers: { 'if-none-match': String(headers['etag']) } };
    expect((await chartroom.send('GET', PATH, again)).status).toBe(304);
  });

  it('is put again before the bucket removes it', async () => {
    const chartroom = await withLargeProjects();
    await chartroom.send('GET', PATH);
    const [key = ''] = storedKeys(chartroom);
    const before = chartroom.objects.objects.get(key);
    chartroom.clock.advance(13 * HOUR);
    await chartroom.send('GET', PATH);
    const after = chartroom.objects.objects.get(key);
    expect(after?.modified).toBe((before?.modified ?? 0) + 13 * HOUR);
    expect(Buffer.compare(after?.bytes ?? Buffer.alloc(0), before?.bytes ?? Buffer.alloc(0))).toBe(0);
  });

  it('is another one when a project is deleted or changed', async () => {
    const chartroom = await withLargeProjects();
    const locations = [(await chartroom.send('GET', PATH)).headers['location']];
    await put(chartroom, 'a', 'another');
    locations.push((await chartroom.send('GET', PATH)).headers['location']);
    await deleteRepository(chartroom, project('a'), somebody);
    locations.push((await chartroom.send('GET', PATH)).headers['location']);
    expect(new Set(locations).size).toBe(3);
    expect(storedKeys(chartroom)).toHaveLength(3);
  });
});
