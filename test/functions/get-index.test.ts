import { describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { listed } from '../use-cases/world.ts';
import { aChartroom, publish } from './chartroom.ts';

async function withRedis(path = '/api/charts') {
  const chartroom = aChartroom();
  await publish(chartroom, await aPackage({ name: 'redis' }), path);
  return chartroom;
}

/** More than what is answered inline: 600 KB that no compression is asked for. */
async function withLargeIndex() {
  const chartroom = aChartroom();
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await publish(chartroom, await aPackage({ name, description: 'x'.repeat(100_000) }));
  }
  return chartroom;
}

describe('GET /{repository}/index.yaml', () => {
  it.each([
    { api: '/api/charts', path: '/index.yaml' },
    { api: '/api/charts', path: '/charts/index.yaml' },
    { api: '/api/a/charts', path: '/a/index.yaml' },
    { api: '/api/a/b/charts', path: '/a/b/index.yaml' },
    { api: '/api/a/b/c/charts', path: '/a/b/c/index.yaml' },
  ])('answers at $path with what was published to $api just before', async ({ api, path }) => {
    const chartroom = await withRedis(api);
    const { status, headers, body } = await chartroom.send('GET', path);
    expect({ status, headers }).toEqual({
      status: 200,
      headers: {
        'content-type': 'application/x-yaml',
        'cache-control': 'no-cache',
        etag: expect.stringMatching(/^"1-[^"]+"$/),
        'x-request-id': 'gateway-id=',
      },
    });
    expect(listed(body)).toEqual(['redis 1.0.0']);
  });

  it('answers an empty index for a repository to which nothing was published', async () => {
    const { status, body } = await aChartroom().send('GET', '/nobody/index.yaml');
    expect([status, listed(body)]).toEqual([200, []]);
  });

  it('answers HEAD with the headers of GET and its length', async () => {
    const chartroom = await withRedis();
    const { headers, body } = await chartroom.send('GET', '/index.yaml');
    expect(await chartroom.send('HEAD', '/index.yaml')).toEqual({
      status: 200,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      body: '',
    });
  });

  it.each([
    { why: 'the tag', header: (etag: string) => etag },
    { why: 'the tag, weak', header: (etag: string) => `W/${etag}` },
    { why: 'a list with the tag', header: (etag: string) => `"x", W/${etag} ,"y"` },
    { why: 'any tag', header: () => '*' },
  ])('answers 304 to If-None-Match with $why, until something changes', async ({ header }) => {
    const chartroom = await withRedis();
    const { headers } = await chartroom.send('GET', '/index.yaml');
    const etag = String(headers['etag']);
    const sent = { headers: { 'if-none-match': header(etag) } };
    expect(await chartroom.send('GET', '/index.yaml', sent)).toEqual({
      status: 304,
      headers: { etag, 'cache-control': 'no-cache', 'x-request-id': 'gateway-id=' },
      body: '',
    });
  });

  it('answers a new tag and body once something changed', async () => {
    const chartroom = await withRedis();
    const { headers } = await chartroom.send('GET', '/index.yaml');
    await publish(chartroom, await aPackage({ name: 'redis', version: '2.0.0' }));
    const sent = { headers: { 'if-none-match': String(headers['etag']) } };
    const { status, body } = await chartroom.send('GET', '/index.yaml', sent);
    expect([status, listed(body)]).toEqual([200, ['redis 2.0.0', 'redis 1.0.0']]);
  });

  it('redirects to a signed URL where the index is large', async () => {
    const chartroom = await withLargeIndex();
    const { status, headers, body } = await chartroom.send('GET', '/index.yaml');
    expect([status, body]).toEqual([302, '']);
    expect(headers).toEqual({
      location: expect.stringMatching(/^https:\/\/bucket\.invalid\/index\/.*index\.yaml\?expires=300$/),
      etag: expect.stringMatching(/^"1-[^"]+"$/),
      'cache-control': 'no-cache',
      'x-request-id': 'gateway-id=',
    });
  });

  it('answers HEAD of a large index itself', async () => {
    const chartroom = await withLargeIndex();
    const { status, headers } = await chartroom.send('HEAD', '/index.yaml');
    const index = await chartroom.published();
    expect([status, headers['content-length'], headers['location']]).toEqual([
      200,
      String(Buffer.byteLength(index ?? '')),
      undefined,
    ]);
  });

  it.each(['/api/index.yaml', '/a/charts/b/index.yaml', '/-/index.yaml'])(
    'refuses a repository with a reserved name: %s',
    async (path) => {
      expect((await aChartroom().send('GET', path)).status).toBe(400);
    },
  );
});
