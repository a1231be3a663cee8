import { describe, expect, it } from 'vitest';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, aForm, answerHeaders, type Chartroom, contents, publish, refusal } from './chartroom.ts';

const CHARTS = '/api/chartrepo/apps/charts';

const redis = await aPackage({ name: 'redis' });
const redisProvenance = aProvenance(redis, { name: 'redis' });

/** The answers at an address of Harbor's and at ours. */
const bothAnswers = async (chartroom: Chartroom, method: string, harbors: string, ours: string) => {
  const [there, here] = [await chartroom.send(method, harbors), await chartroom.send(method, ours)];
  expect([200, 302]).toContain(there.status);
  return [there, here] as const;
};

describe("Harbor's addresses", () => {
  it.each(['GET', 'HEAD'])('answer %s as ours do', async (method) => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, CHARTS);
    await chartroom.send('POST', '/api/chartrepo/apps/prov', { body: redisProvenance });
    for (const file of [
      'index.yaml',
      'charts/redis/index.yaml',
      'charts/redis-1.0.0.tgz',
      'charts/redis-1.0.0.tgz.prov',
    ]) {
      const [there, here] = await bothAnswers(chartroom, method, `/chartrepo/apps/${file}`, `/apps/${file}`);
      expect(there).toEqual(here);
    }
    const [there, here] = await bothAnswers(chartroom, method, '/api/chartrepo/health', '/health');
    expect(there).toEqual(here);
  });

  it('lead to one store: what comes by one is there by the other', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, CHARTS);
    await publish(chartroom, await aPackage({ name: 'mysql' }), '/api/apps/charts');
    const { body } = await chartroom.send('GET', '/chartrepo/apps/index.yaml');
    expect(Object.keys(JSON.parse(body).entries)).toEqual(['mysql', 'redis']);
    expect((await chartroom.send('GET', '/apps/index.yaml')).body).toBe(body);
  });

  it.each([
    { why: 'chart and prov in one form', path: CHARTS, chart: redis, prov: redisProvenance },
    { why: 'a prov in a form by itself', path: '/api/chartrepo/apps/prov', prov: redisProvenance },
    { why: 'a prov where packages go', path: CHARTS, prov: redisProvenance },
  ])('take $why', async ({ path, chart, prov }) => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, CHARTS);
    const fields = [
      ...(chart === undefined ? [] : [{ field: 'chart', file: 'x.tgz', content: chart }]),
      { field: 'prov', file: 'x.prov', content: prov },
    ];
    expect(await chartroom.send('POST', `${path}?force`, aForm(...fields))).toMatchObject({
      status: 201,
      body: '{"saved":true}',
    });
    expect((await chartroom.send('GET', '/apps/charts/redis-1.0.0.tgz.prov')).status).toBe(302);
  });

  it('publish to library where they name no project', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, '/api/chartrepo/charts');
    const { body } = await chartroom.send('GET', '/chartrepo/library/index.yaml');
    expect(Object.keys(JSON.parse(body).entries)).toEqual(['redis']);
    expect((await chartroom.send('GET', '/index.yaml')).body).not.toContain('redis');
  });

  it.each([
    { method: 'GET', status: 404 },
    { method: 'HEAD', status: 404 },
    { method: 'PUT', status: 405 },
  ])('have nothing else there: $method', async ({ method, status }) => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, '/api/chartrepo/charts');
    const answer = await chartroom.send(method, '/api/chartrepo/charts');
    expect(answer.status).toBe(status);
    expect(answer.body).not.toContain('redis');
    expect(answer.headers['allow']).toBe(status === 405 ? 'POST' : undefined);
  });

  it('answer a version that is there with 409, as ours do', async () => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, CHARTS);
    const before = contents(chartroom);
    const headers = { 'content-type': 'application/octet-stream' };
    const body = await aPackage({ name: 'redis', description: 'other' });
    expect((await chartroom.send('POST', CHARTS, { headers, body })).status).toBe(409);
    expect(contents(chartroom)).toEqual(before);
  });

  it.each([`${CHARTS}/redis/1.0.0`, `${CHARTS}/redis`])('answer DELETE %s with nothing', async (path) => {
    const chartroom = aChartroom();
    await publish(chartroom, redis, CHARTS);
    expect(await chartroom.send('DELETE', path)).toEqual({
      status: 200,
      headers: { ...answerHeaders, 'content-type': 'text/plain; charset=utf-8' },
      body: '',
    });
    expect((await chartroom.send('GET', '/apps/charts/redis-1.0.0.tgz')).status).toBe(404);
    expect((await chartroom.send('DELETE', path)).status).toBe(404);
  });

  it('name the way past the limit of an upload, which is at ours', async () => {
    const chartroom = aChartroom({ maxUploadBytes: 100 });
    const { status, body } = await chartroom.send(
      'POST',
      CHARTS,
      aForm({ field: 'chart', file: 'x', content: redis }),
    );
    expect([status, JSON.parse(body).error]).toEqual([
      413,
      expect.stringContaining('POST …/api/apps/uploads'),
    ]);
    expect((await chartroom.send('POST', '/api/apps/uploads')).status).toBe(201);
  });

  it.each([
    '/chartrepo/apps/artifacthub-repo.yml',
    `${CHARTS}/redis/1.0.0/values`,
    '/api/chartrepo/apps/uploads/x',
  ])('have nothing at %s, in a repository of no name that can be', async (path) => {
    const { status, body } = await aChartroom().send('GET', path);
    expect([status, body]).toEqual([404, refusal('NOT_FOUND', 'not found')]);
  });

  it('lead back from a slash too many', async () => {
    const { status, headers } = await aChartroom().send('GET', '/chartrepo/apps/index.yaml/');
    expect([status, headers['location']]).toEqual([302, '../index.yaml']);
  });
});
