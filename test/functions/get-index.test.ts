import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import { indexTag } from '../../shared/index-objects.ts';
import { indexReader } from '../../shared/read-index.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import { aPackage } from '../packages.ts';
import { listed, root } from '../use-cases/world.ts';
import { aChartroom, answerHeaders, publish, readHeaders } from './chartroom.ts';

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
        ...readHeaders,
        'content-type': 'application/x-yaml',
        etag: expect.stringMatching(/^"1-[^"]+"$/),
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
      headers: {
        etag,
        'cache-control': 'no-cache',
        vary: 'Accept-Encoding',
        ...answerHeaders,
      },
      body: '',
    });
  });

  it('does not ask the bucket for what the client has', async () => {
    const chartroom = await withRedis();
    const pointer = await currentIndex(chartroom, root);
    await chartroom.objects.remove([`${pointer?.folder}index.yaml`]);
    const headers = { 'if-none-match': `"${indexTag(pointer?.folder ?? '')}"` };
    expect((await chartroom.send('GET', '/index.yaml', { headers })).status).toBe(304);
  });

  it('answers 304 to the tag of its gzip form', async () => {
    const chartroom = await withRedis();
    const { headers } = await chartroom.send('GET', '/index.yaml');
    const etag = String(headers['etag']).replace(/"$/, '-gzip"');
    const sent = { headers: { 'accept-encoding': 'gzip', 'if-none-match': etag } };
    expect(await chartroom.send('GET', '/index.yaml', sent)).toMatchObject({
      status: 304,
      headers: { etag },
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

  it('answers with the next index where the one it was about to read is removed', async () => {
    const chartroom = await withRedis();
    await chartroom.send('GET', '/index.yaml');
    const { folder } = (await chartroom.pointers.get(root)) ?? { folder: '' };
    // The reader has the pointer; before it reads the object, another index is made and this one removed.
    const get = async (key: string) => {
      if (key.startsWith(folder) && chartroom.objects.objects.has(key)) {
        await publish(chartroom, await aPackage({ name: 'redis', version: '2.0.0' }));
        await refreshIndex(chartroom, root, { rebuildAtMost: 10 });
        await chartroom.objects.remove([key]);
      }
      return await chartroom.objects.get(key);
    };
    const read = indexReader({ ...chartroom, objects: { ...chartroom.objects, get } });
    const answer = await read(root, () => undefined);
    expect(answer.kind === 'inline' && listed(Buffer.from(answer.bytes).toString())).toEqual([
      'redis 2.0.0',
      'redis 1.0.0',
    ]);
  });

  it.each([
    { size: 'small', make: withRedis },
    { size: 'large', make: withLargeIndex },
  ])('asks for a rebuild and says "try again" where a $size index is lost', async ({ make }) => {
    const chartroom = await make();
    const pointer = await currentIndex(chartroom, root);
    await chartroom.objects.remove([`${pointer?.folder}index.yaml`]);
    const { status, headers } = await chartroom.send('GET', '/index.yaml');
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(chartroom.objects.objects.has(rebuildRequestKey(root))).toBe(true);
  });

  it('redirects to a signed URL where the index is large', async () => {
    const chartroom = await withLargeIndex();
    const { status, headers, body } = await chartroom.send('GET', '/index.yaml');
    expect([status, body]).toEqual([302, '']);
    expect(headers).toEqual({
      location: expect.stringMatching(/^https:\/\/bucket\.invalid\/index\/.*index\.yaml\?expires=60$/),
      etag: expect.stringMatching(/^"1-[^"]+"$/),
      'cache-control': 'no-cache',
      ...answerHeaders,
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

  it.each(['/api/index.yaml', '/chartrepo/a/b/index.yaml'])('knows no repository at %s', async (path) => {
    expect((await aChartroom().send('GET', path)).status).toBe(404);
  });

  it.each(['/a/prov/b/index.yaml', '/-/index.yaml'])(
    'refuses a repository with a reserved name: %s',
    async (path) => {
      expect((await aChartroom().send('GET', path)).status).toBe(400);
    },
  );
});
