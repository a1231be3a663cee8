import { describe, expect, it } from 'vitest';
import { aChartroom, answerHeaders, jsonHeaders, readHeaders, refusal } from './chartroom.ts';

describe('GET /health and /info', () => {
  it.each([
    { path: '/health', body: '{"healthy":true}' },
    { path: '/info', body: '{"version":"1.2.3"}' },
  ])('answers $path', async ({ path, body }) => {
    const chartroom = aChartroom();
    const headers = { ...jsonHeaders, ...readHeaders };
    expect(await chartroom.send('GET', path)).toEqual({ status: 200, headers, body });
    expect(await chartroom.send('HEAD', path)).toEqual({
      status: 200,
      headers: { ...headers, 'content-length': String(body.length) },
      body: '',
    });
  });
});

describe('whatever no route matches', () => {
  it.each([
    '/nothing',
    '//',
    '/acme/',
    '/a/b/c/d/index.yaml',
    '/api',
    '/api//charts',
    '//charts/x-1.0.0.tgz',
  ])('answers 404 to %s', async (path) => {
    const answer = await aChartroom().send('GET', path);
    const body = refusal('NOT_FOUND', 'not found');
    expect(answer).toEqual({ status: 404, headers: jsonHeaders, body });
  });

  it.each([
    { path: '/charts/', location: '../charts' },
    { path: '/api/acme/charts/', location: '../charts' },
    { path: '/api/charts/?limit=1', location: '../charts?limit=1' },
    { path: '/api/charts/redis/1.0.0%2Bb/', location: '../1.0.0%2Bb' },
  ])('leads from $path to the path without the slash', async ({ path, location }) => {
    expect(await aChartroom().send('GET', path)).toMatchObject({
      status: 302,
      headers: { location },
      body: '',
    });
  });

  it.each(['POST', 'DELETE'])('leads no %s anywhere: a client would take it for done', async (method) => {
    expect((await aChartroom().send(method, '/api/charts/')).status).toBe(404);
    expect((await aChartroom().send(method, '/api/charts/redis/')).status).toBe(404);
  });

  it('answers 204 to a preflight on a known path, should the gateway not do so', async () => {
    const headers = { origin: 'https://app.example.com', 'access-control-request-method': 'GET' };
    expect(await aChartroom().send('OPTIONS', '/index.yaml', { headers })).toEqual({
      status: 204,
      headers: { allow: 'GET, HEAD', ...answerHeaders },
      body: '',
    });
    expect((await aChartroom().send('OPTIONS', '/nothing', { headers })).status).toBe(404);
  });

  it.each([
    { method: 'PUT', path: '/api/charts', allow: 'GET, HEAD, POST' },
    { method: 'DELETE', path: '/api/acme/charts', allow: 'GET, HEAD, POST' },
    { method: 'PATCH', path: '/api/acme/charts/redis', allow: 'GET, HEAD, DELETE' },
    { method: 'GET', path: '/api/prov', allow: 'POST' },
    { method: 'OPTIONS', path: '/index.yaml', allow: 'GET, HEAD' },
    { method: 'POST', path: '/', allow: 'GET, HEAD' },
  ])('answers 405 to $method $path, and allows $allow', async ({ method, path, allow }) => {
    expect(await aChartroom().send(method, path)).toEqual({
      status: 405,
      headers: { ...jsonHeaders, allow },
      body: refusal('METHOD_NOT_ALLOWED', `${method} is not allowed here: use ${allow}`),
    });
  });
});
