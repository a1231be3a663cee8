import { describe, expect, it } from 'vitest';
import { digestOf } from '../../shared/domain/digest.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, answerHeaders, jsonHeaders, publish, refusal } from './chartroom.ts';

const upload = await aPackage({ name: 'redis', version: '1.0.0+build.1' });
const other = await aPackage({ name: 'redis', version: '1.0.0+build.1', description: 'other bytes' });
const provenance = aProvenance(upload, { name: 'redis', version: '1.0.0+build.1' });

async function withRedis(path = '/api/charts') {
  const chartroom = aChartroom();
  await publish(chartroom, upload, path);
  await chartroom.send('POST', path.replace('charts', 'prov'), { body: provenance });
  return chartroom;
}

const keysEndingIn = (chartroom: ReturnType<typeof aChartroom>, suffix: string) =>
  [...chartroom.objects.objects.keys()].filter((key) => key.endsWith(suffix));

describe('GET /{repository}/charts/{file}', () => {
  it.each(['redis-1.0.0+build.1.tgz', 'redis-1.0.0%2Bbuild.1.tgz', 'redis-1.0.0+build.1.tgz.prov'])(
    'redirects to a signed URL of five minutes: %s',
    async (file) => {
      const chartroom = await withRedis();
      const [key = ''] = keysEndingIn(chartroom, file.endsWith('.prov') ? '.prov' : '.tgz');
      expect(await chartroom.send('GET', `/charts/${file}`)).toEqual({
        status: 302,
        headers: {
          location: await chartroom.objects.signedUrl(key, 300),
          'cache-control': 'no-store',
          ...answerHeaders,
        },
        body: '',
      });
    },
  );

  it.each([
    { api: '/api/charts', path: '/charts' },
    { api: '/api/charts', path: '/charts/charts' },
    { api: '/api/a/charts', path: '/a/charts' },
    { api: '/api/a/b/charts', path: '/a/b/charts' },
    { api: '/api/a/b/c/charts', path: '/a/b/c/charts' },
  ])('finds what was published to $api below $path', async ({ api, path }) => {
    const chartroom = await withRedis(api);
    expect((await chartroom.send('GET', `${path}/redis-1.0.0+build.1.tgz`)).status).toBe(302);
  });

  it('redirects to the new bytes once a version was replaced, and forgets the old provenance file', async () => {
    const chartroom = await withRedis();
    await publish(chartroom, other);
    const { headers } = await chartroom.send('GET', '/charts/redis-1.0.0+build.1.tgz');
    expect(headers['location']).toContain(digestOf(other));
    expect((await chartroom.send('GET', '/charts/redis-1.0.0+build.1.tgz.prov')).status).toBe(404);
  });

  it.each([
    'redis-2.0.0.tgz',
    'nginx-1.0.0.tgz',
    'redis-1.0.0+build.1.TGZ',
    'redis-1.0.0+build.1.zip',
    'redis.tgz',
    'index.html',
  ])('answers 404 to %s', async (file) => {
    const chartroom = await withRedis();
    expect(await chartroom.send('GET', `/charts/${file}`)).toEqual({
      status: 404,
      headers: jsonHeaders,
      body: refusal('NOT_FOUND', `object not found: there is no ${file} here`),
    });
  });

  it.each(['..%2Fredis-1.0.0.tgz', '%2E%2E'])('refuses %s', async (file) => {
    expect((await aChartroom().send('GET', `/charts/${file}`)).status).toBe(400);
  });
});

describe('HEAD /{repository}/charts/{file}', () => {
  it.each([
    { file: 'redis-1.0.0+build.1.tgz', content: upload, type: 'application/x-tar' },
    { file: 'redis-1.0.0+build.1.tgz.prov', content: provenance, type: 'application/pgp-signature' },
  ])('answers length, type and digest of $file, and never a redirect', async ({ file, content, type }) => {
    const chartroom = await withRedis();
    expect(await chartroom.send('HEAD', `/charts/${file}`)).toEqual({
      status: 200,
      headers: {
        'content-type': type,
        'content-length': String(content.length),
        etag: `"${digestOf(content)}"`,
        'cache-control': 'no-cache',
        ...answerHeaders,
      },
      body: '',
    });
  });

  it('answers 404 to what is not there', async () => {
    const { status, body } = await aChartroom().send('HEAD', '/charts/redis-1.0.0.tgz');
    expect([status, body]).toEqual([404, '']);
  });
});
