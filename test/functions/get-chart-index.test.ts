import { gunzipSync } from 'node:zlib';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { getChartIndex } from '../../functions/get-chart-index.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import { serve } from '../../shared/edge/serve.ts';
import { aPackage } from '../packages.ts';
import { listed } from '../use-cases/world.ts';
import {
  aChartroom,
  answerHeaders,
  type Chartroom,
  jsonHeaders,
  publish,
  readHeaders,
  refusal,
} from './chartroom.ts';
import { anEvent } from './events.ts';

const PATH = '/acme/charts/redis/index.yaml';

/** Publishes a version a second after the one before. */
async function put(chartroom: Chartroom, name: string, version: string, description = 'a chart') {
  await publish(chartroom, await aPackage({ name, version, description }), '/api/acme/charts?force');
  chartroom.clock.advance(1_000);
}

async function withRedis(options: Parameters<typeof aChartroom>[0] = {}) {
  const chartroom = aChartroom(options);
  await put(chartroom, 'mysql', '3.0.0');
  for (const version of ['1.0.0', '10.0.0', '2.0.0']) await put(chartroom, 'redis', version);
  return chartroom;
}

/** 7 MB of entries: more than Lambda carries. */
async function withLargeRedis() {
  const chartroom = aChartroom();
  for (let minor = 0; minor < 70; minor += 1) {
    await put(chartroom, 'redis', `1.${minor}.0`, 'x'.repeat(100_000));
  }
  return chartroom;
}

const stored = ({ objects }: Chartroom) =>
  [...objects.objects].filter(([key]) => key.startsWith('merged/chart/'));

describe('GET /{repository}/charts/{name}/index.yaml', () => {
  it('answers every version of the chart alone, newest first, by its own digest', async () => {
    const chartroom = await withRedis();
    const { status, headers, body } = await chartroom.send('GET', PATH);
    expect({ status, headers }).toEqual({
      status: 200,
      headers: {
        ...readHeaders,
        'content-type': 'application/x-yaml',
        etag: `"${digestOf(Buffer.from(body))}"`,
      },
    });
    expect(listed(body)).toEqual(['redis 10.0.0', 'redis 2.0.0', 'redis 1.0.0']);
  });

  it.each([
    { api: '/api/charts', path: '/charts/redis/index.yaml' },
    { api: '/api/charts', path: '/charts/charts/redis/index.yaml' },
    { api: '/api/a/charts', path: '/a/charts/redis/index.yaml' },
    { api: '/api/a/charts', path: '/chartrepo/a/charts/redis/index.yaml' },
    { api: '/api/a/b/charts', path: '/a/b/charts/redis/index.yaml' },
    { api: '/api/a/b/c/charts', path: '/a/b/c/charts/redis/index.yaml' },
  ])('answers at $path, and its addresses lead to where packages are', async ({ api, path }) => {
    const chartroom = aChartroom();
    await publish(chartroom, await aPackage({ name: 'redis' }), api);
    const { body } = await chartroom.send('GET', path);
    const [url = ''] = JSON.parse(body).entries.redis[0].urls;
    expect(url).toBe('../redis-1.0.0.tgz');
    // As Helm does: the address that was added, with a slash behind it.
    const { pathname } = new URL(url, `http://chartroom${path.replace('index.yaml', '')}`);
    expect((await chartroom.send('GET', pathname)).status).toBe(302);
    expect((await chartroom.send('GET', `${pathname}.prov`)).status).toBe(404);
  });

  it.each(['json', 'yaml'] as const)(
    'has the entries of the whole index but for the address, in %s',
    async (format) => {
      const chartroom = await withRedis({ settings: { format } });
      const { body: whole } = await chartroom.send('GET', '/acme/index.yaml');
      const { body } = await chartroom.send('GET', PATH);
      const end = format === 'json' ? /\n\},"generated[\s\S]*/ : /generated: [\s\S]*/;
      const start = format === 'json' ? '"redis":[' : '  "redis":\n';
      const ofRedis = (index: string) => index.slice(index.indexOf(start)).replace(end, '');
      expect(ofRedis(body).replaceAll('"../', '"charts/')).toBe(ofRedis(whole));
      expect(load(body)).toMatchObject({
        apiVersion: 'v1',
        entries: { redis: [{ version: '10.0.0' }, { version: '2.0.0' }, { version: '1.0.0' }] },
        // When the newest was published, and not when somebody asked.
        generated: '2026-01-02T03:04:08.678Z',
        serverInfo: {},
      });
    },
  );

  it('begins addresses with the chart URL of the settings, and tells the context path', async () => {
    const chartroom = await withRedis({
      settings: { chartUrl: 'https://cdn.example', contextPath: '/helm' },
    });
    const { entries, serverInfo } = JSON.parse((await chartroom.send('GET', PATH)).body);
    expect(entries.redis[0].urls).toEqual(['https://cdn.example/helm/acme/charts/redis-10.0.0.tgz']);
    expect(serverInfo).toEqual({ contextPath: '/helm' });
  });

  it('holds what was acknowledged, with no index of the repository made for it', async () => {
    const chartroom = await withRedis();
    await put(chartroom, 'redis', '11.0.0');
    expect(listed((await chartroom.send('GET', PATH)).body)[0]).toBe('redis 11.0.0');
    await chartroom.send('DELETE', '/api/acme/charts/redis/11.0.0');
    expect(listed((await chartroom.send('GET', PATH)).body)[0]).toBe('redis 10.0.0');
    expect([...chartroom.objects.objects.keys()].filter((key) => key.startsWith('index/'))).toEqual([]);
  });

  it('asks the table once, and the bucket nothing, however much the repository holds', async () => {
    const chartroom = await withRedis();
    const asked: string[] = [];
    const noted = <Store extends object>(store: Store): Store =>
      new Proxy(store, {
        get: (target, call, receiver) => {
          asked.push(String(call));
          return Reflect.get(target, call, receiver);
        },
      });
    const { versions, objects, settings, clock } = chartroom;
    const endpoint = getChartIndex({ versions: noted(versions), objects: noted(objects), settings, clock });
    const { event } = anEvent('GET', PATH);
    expect((await serve('get-chart-index', endpoint)(event)).statusCode).toBe(200);
    expect(asked).toEqual(['ofChart']);
  });

  it('answers HEAD with the headers of GET and its length', async () => {
    const chartroom = await withRedis();
    const { headers, body } = await chartroom.send('GET', PATH);
    expect(await chartroom.send('HEAD', PATH)).toEqual({
      status: 200,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      body: '',
    });
  });

  it('answers 304 to its tag until the chart changes, whatever becomes of others', async () => {
    const chartroom = await withRedis();
    const etag = String((await chartroom.send('GET', PATH)).headers['etag']);
    const sent = { headers: { 'if-none-match': etag } };
    await put(chartroom, 'mysql', '4.0.0');
    expect(await chartroom.send('GET', PATH, sent)).toEqual({
      status: 304,
      headers: { etag, 'cache-control': 'no-cache', vary: 'Accept-Encoding', ...answerHeaders },
      body: '',
    });
    await put(chartroom, 'redis', '11.0.0');
    const { status, headers } = await chartroom.send('GET', PATH, sent);
    expect(status).toBe(200);
    expect(headers['etag']).not.toBe(etag);
  });

  it('compresses where it is asked to, and nowhere else', async () => {
    const chartroom = await withRedis();
    await put(chartroom, 'redis', '11.0.0', 'x'.repeat(1_000));
    const plain = await chartroom.send('GET', PATH);
    expect(plain.headers).not.toHaveProperty('content-encoding');
    const { endpoint, event } = anEvent('GET', PATH, { headers: { 'accept-encoding': 'gzip' } });
    const { headers, body = '' } = await serve(endpoint, getChartIndex(chartroom))(event);
    expect(headers?.['content-encoding']).toBe('gzip');
    expect(gunzipSync(Buffer.from(body, 'base64')).toString()).toBe(plain.body);
  });

  it('answers 404 where no version of the chart is live, and says so', async () => {
    const chartroom = await withRedis();
    await chartroom.send('DELETE', '/api/acme/charts/mysql');
    for (const [path, message] of [
      [
        '/acme/charts/mysql/index.yaml',
        'there is no version of mysql in acme: publish one, or add the repository itself',
      ],
      [
        '/charts/redis/index.yaml',
        'there is no version of redis in the root repository: publish one, or add the repository itself',
      ],
    ] as const) {
      expect(await chartroom.send('GET', path)).toEqual({
        status: 404,
        headers: jsonHeaders,
        body: refusal('NOT_FOUND', message),
      });
    }
  });

  it.each(['/acme/charts/index.yaml/index.yaml', '/acme/charts/a-1.2.3-b/index.yaml'])(
    'refuses what no chart is called: %s',
    async (path) => {
      expect((await aChartroom().send('GET', path)).status).toBe(400);
    },
  );

  it.each(['/chartrepo/charts/redis/index.yaml', '/api/charts/redis/index.yaml'])(
    'knows no repository at %s',
    async (path) => {
      expect((await aChartroom().send('GET', path)).status).toBe(404);
    },
  );
});

describe('a large index of one chart', () => {
  it('is put into the bucket once, and answered by a signed URL', async () => {
    const chartroom = await withLargeRedis();
    const { status, headers, body } = await chartroom.send('GET', PATH);
    const etag = String(headers['etag']);
    expect([status, body]).toEqual([302, '']);
    expect(headers).toEqual({
      location: `https://bucket.invalid/merged/chart/${etag.slice(1, -1)}/index.yaml?expires=300`,
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      'cache-control': 'no-cache',
      ...answerHeaders,
    });
    const [[, object] = []] = stored(chartroom);
    const index = Buffer.from(object?.bytes ?? '');
    expect(object?.contentType).toBe('application/x-yaml');
    expect(listed(index.toString())).toHaveLength(70);
    expect(etag).toBe(`"${digestOf(index)}"`);
    expect(await chartroom.send('HEAD', PATH)).toMatchObject({
      status: 200,
      headers: { 'content-length': String(index.length), 'content-type': 'application/x-yaml', etag },
    });
    expect(stored(chartroom).map(([, { versionId }]) => versionId)).toEqual([object?.versionId]);
    const known = await chartroom.send('GET', PATH, { headers: { 'if-none-match': etag } });
    expect(known).toMatchObject({ status: 304, headers: { etag } });
  });

  it('is put again before the bucket removes it', async () => {
    const chartroom = await withLargeRedis();
    await chartroom.send('GET', PATH);
    const [[, before] = []] = stored(chartroom);
    chartroom.clock.advance(13 * 60 * 60 * 1000);
    await chartroom.send('GET', PATH);
    const [[, after] = []] = stored(chartroom);
    expect(after?.versionId).not.toBe(before?.versionId);
  });
});
