import { describe, expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { aChartroom, jsonHeaders, publish, readHeaders, refusal } from './chartroom.ts';

const VALUES = '# how many\nreplicas: 3\n';

async function withFiles(files: Record<string, string>) {
  const chartroom = aChartroom();
  await publish(chartroom, await aPackage({ name: 'redis', files }));
  return chartroom;
}

const notFound = (message: string) => ({
  status: 404,
  headers: jsonHeaders,
  body: refusal('NOT_FOUND', message),
});

describe('GET /api/{repository}/charts/{name}/{version}/values', () => {
  it.each([
    { why: 'with its comments', content: VALUES },
    { why: 'that is empty', content: '' },
  ])("answers the file's own bytes, $why", async ({ content }) => {
    const chartroom = await withFiles({ 'values.yaml': content });
    expect(await chartroom.send('GET', '/api/charts/redis/latest/values')).toEqual({
      status: 200,
      headers: { ...readHeaders, 'content-type': 'application/yaml' },
      body: content,
    });
  });

  it.each([
    { path: 'redis/1.0.0', message: 'values.yaml not found' },
    { path: 'redis/2.0.0', message: 'no chart version found for redis-2.0.0' },
    { path: 'nginx/1.0.0', message: 'no chart name found' },
  ])('answers 404 to $path', async ({ path, message }) => {
    const chartroom = await withFiles({});
    expect(await chartroom.send('GET', `/api/charts/${path}/values`)).toEqual(notFound(message));
  });
});

describe('GET /api/{repository}/charts/{name}/{version}/templates', () => {
  const template = { name: 'templates/a.yaml', data: Buffer.from('kind: A').toString('base64') };

  it.each([
    { why: 'values', files: { 'values.yaml': VALUES }, values: '{"replicas":3}' },
    { why: 'an empty values.yaml', files: { 'values.yaml': '' }, values: '{}' },
    { why: 'no values.yaml', files: {}, values: 'null' },
    {
      why: 'a value called __proto__',
      files: { 'values.yaml': '__proto__: {a: 1}' },
      values: '{"__proto__":{"a":1}}',
    },
  ])('answers templates in base64, and $why', async ({ files, values }) => {
    const chartroom = await withFiles({ 'templates/a.yaml': 'kind: A', ...files });
    expect(await chartroom.send('GET', '/api/charts/redis/1.0.0/templates')).toEqual({
      status: 200,
      headers: { ...jsonHeaders, ...readHeaders },
      body: `{"templates":[${JSON.stringify(template)}],"values":${values}}`,
    });
  });

  it('answers no templates where the chart has none', async () => {
    const chartroom = await withFiles({});
    const { body } = await chartroom.send('GET', '/api/charts/redis/1.0.0/templates');
    expect(body).toBe('{"templates":[],"values":null}');
  });

  it('answers 404 to an unknown version', async () => {
    const chartroom = await withFiles({});
    const answer = await chartroom.send('GET', '/api/charts/redis/2.0.0/templates');
    expect(answer).toEqual(notFound('no chart version found for redis-2.0.0'));
  });
});

describe('when the bucket changes between the two reads', () => {
  it('answers 404 if the version was deleted', async () => {
    const chartroom = await withFiles({ 'values.yaml': VALUES });
    const { get } = chartroom.objects;
    chartroom.objects.get = async (key) => {
      await chartroom.send('DELETE', '/api/charts/redis/1.0.0');
      return await get(key);
    };
    const answer = await chartroom.send('GET', '/api/charts/redis/1.0.0/values');
    expect(answer).toEqual(notFound('no chart name found'));
  });
});
