import { afterEach, describe, expect, it, vi } from 'vitest';
import { Fault, type FaultCode } from '../../shared/domain/fault.ts';
import { json } from '../../shared/edge/response.ts';
import { type Endpoint, serve } from '../../shared/edge/serve.ts';
import { jsonHeaders, refusal } from '../functions/chartroom.ts';
import { anEvent } from '../functions/events.ts';
import { watchLog } from '../log-lines.ts';

const ok: Endpoint = async () => json(200, { ok: true });
const { event } = anEvent('GET', '/info');

const throwing =
  (error: unknown): Endpoint =>
  async () => {
    throw error;
  };

afterEach(() => vi.restoreAllMocks());

describe('a refusal', () => {
  it.each<{ code: FaultCode; status: number; word: string }>([
    { code: 'invalid_request', status: 400, word: 'BAD_REQUEST' },
    { code: 'invalid_repository', status: 400, word: 'BAD_REQUEST' },
    { code: 'invalid_name', status: 400, word: 'BAD_REQUEST' },
    { code: 'invalid_version', status: 400, word: 'BAD_REQUEST' },
    { code: 'invalid_package', status: 400, word: 'BAD_REQUEST' },
    { code: 'invalid_provenance', status: 400, word: 'BAD_REQUEST' },
    { code: 'not_found', status: 404, word: 'NOT_FOUND' },
    { code: 'chart_not_found', status: 404, word: 'NOT_FOUND' },
    { code: 'version_not_found', status: 404, word: 'NOT_FOUND' },
    { code: 'method_not_allowed', status: 405, word: 'METHOD_NOT_ALLOWED' },
    { code: 'too_many_failures', status: 429, word: 'TOO_MANY_REQUESTS' },
    { code: 'version_exists', status: 409, word: 'CONFLICT' },
    { code: 'provenance_exists', status: 409, word: 'CONFLICT' },
    { code: 'being_published', status: 409, word: 'CONFLICT' },
    { code: 'too_large', status: 413, word: 'REQUEST_ENTITY_TOO_LARGE' },
    { code: 'text_body', status: 415, word: 'UNSUPPORTED_MEDIA_TYPE' },
    { code: 'range_not_satisfiable', status: 416, word: 'RANGE_NOT_SATISFIABLE' },
    { code: 'try_again', status: 503, word: 'SERVICE_UNAVAILABLE' },
  ])('of $code answers $status, to be read by both families of clients', async ({ code, status, word }) => {
    expect(await serve('get-info', throwing(new Fault(code, 'a <reason>')))(event)).toEqual({
      statusCode: status,
      headers: jsonHeaders,
      body: refusal(word, 'a <reason>'),
      isBase64Encoded: false,
    });
  });

  it('does not repeat megabytes of what was sent', async () => {
    const { body } = await serve(
      'get-info',
      throwing(new Fault('invalid_name', 'x'.repeat(5_000_000))),
    )(event);
    expect(body).toBe(refusal('BAD_REQUEST', `${'x'.repeat(1000)}…`));
  });

  it('for want of credentials says how to authenticate', async () => {
    const authenticate = () => Promise.reject(new Fault('unauthorized', 'unauthorized'));
    const endpoint = vi.fn(ok);
    expect(await serve('get-info', endpoint, authenticate)(event)).toEqual({
      statusCode: 401,
      headers: { ...jsonHeaders, 'www-authenticate': 'Basic realm="Chartroom"' },
      body: refusal('UNAUTHORIZED', 'unauthorized'),
      isBase64Encoded: false,
    });
    expect(endpoint).not.toHaveBeenCalled();
  });

  it('for a while says when to come again', async () => {
    const fault = new Fault('try_again', 'later', { retryAfterSeconds: 5 });
    const { headers } = await serve('get-info', throwing(fault))(event);
    expect(headers).toEqual({ ...jsonHeaders, 'retry-after': '5' });
  });
});

describe('every answer', () => {
  it('tells browsers to make no more of it than it is', async () => {
    const { headers } = await serve('get-info', ok)(event);
    expect(headers).toMatchObject(jsonHeaders);
  });

  it('keeps what the endpoint says for itself', async () => {
    const own = { 'content-security-policy': "default-src 'self'" };
    const { headers } = await serve('get-info', async () => json(200, {}, own))(event);
    expect(headers).toMatchObject(own);
  });

  it('asks for TLS for good only who came by it', async () => {
    const plain = anEvent('GET', '/info', { headers: { 'x-forwarded-proto': 'http' } });
    const { headers } = await serve('get-info', ok)(plain.event);
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect(headers).toHaveProperty('x-content-type-options', 'nosniff');
  });
});

describe('a bug', () => {
  it.each([
    { why: 'an Error', thrown: new TypeError('secret detail'), name: 'TypeError' },
    { why: 'a text', thrown: 'secret detail', name: 'Error' },
    {
      why: 'an error with more to it than its message',
      thrown: Object.assign(new Error('secret detail'), { Item: { S: 'Basic secret' }, $response: 'Basic' }),
      name: 'Error',
    },
  ])('that throws $why is answered without detail, and logged as one line', async ({ thrown, name }) => {
    const log = watchLog();
    const sent = anEvent('POST', '/api/charts?token=t', {
      headers: { authorization: 'Basic secret', 'x-request-id': 'client-1' },
      body: 'the body',
    });
    const told = 'internal error: tell whoever runs this Chartroom that it was request client-1';
    expect(
      await serve('publish-package', throwing(thrown))(sent.event, { awsRequestId: 'lambda-1' }),
    ).toEqual({
      statusCode: 500,
      headers: { ...jsonHeaders, 'x-request-id': 'client-1' },
      body: refusal('UNKNOWN', told),
      isBase64Encoded: false,
    });
    expect(log.lines()).toEqual([
      {
        level: 'ERROR',
        message: 'a request failed',
        timestamp: expect.any(String),
        service: expect.any(String),
        sampling_rate: 0,
        endpoint: 'publish-package',
        requestId: 'client-1',
        gatewayRequestId: 'gateway-id=',
        function_request_id: 'lambda-1',
        method: 'POST',
        path: '/api/charts',
        error: { name, message: 'secret detail', stack: expect.any(String) },
      },
    ]);
    expect(log.text()).not.toMatch(/Basic|the body|token/);
  });
});

describe('an answer', () => {
  it.each([
    { why: 'echoes the id of the client', sent: 'abc-123', id: 'abc-123' },
    { why: 'echoes an id of 128 characters', sent: 'x'.repeat(128), id: 'x'.repeat(128) },
    { why: 'ignores a longer id', sent: 'x'.repeat(129), id: 'gateway-id=' },
    { why: 'ignores an id with a blank', sent: 'a b', id: 'gateway-id=' },
    { why: 'ignores an id that is not ASCII', sent: 'é', id: 'gateway-id=' },
  ])('$why', async ({ sent, id }) => {
    const { event } = anEvent('GET', '/info', { headers: { 'X-Request-Id': sent } });
    expect((await serve('get-info', ok)(event)).headers).toMatchObject({ 'x-request-id': id });
  });

  it.each([
    { why: 'bytes', body: new Uint8Array(5_000_000) },
    { why: 'text', body: '"'.repeat(3_200_000) },
  ])('of $why that Lambda cannot carry becomes a refusal', async ({ body }) => {
    const { statusCode, body: text } = await serve('get-info', async () => ({
      status: 200,
      headers: {},
      body,
    }))(event);
    const message = 'the answer is larger than 6 MB: get the index, or the package';
    expect([statusCode, text]).toEqual([413, refusal('REQUEST_ENTITY_TOO_LARGE', message)]);
  });

  it('that Lambda cannot carry is refused to HEAD as well', async () => {
    const endpoint = async () => json(200, 'x'.repeat(7_000_000));
    const toGet = await serve('get-info', endpoint)(anEvent('GET', '/info').event);
    const toHead = await serve('get-info', endpoint)(anEvent('HEAD', '/info').event);
    expect(toHead).toEqual({
      ...toGet,
      headers: { ...toGet.headers, 'content-length': String(toGet.body?.length) },
      body: '',
    });
    expect(toHead.statusCode).toBe(413);
  });

  it.each([
    { why: 'bytes', body: new Uint8Array(4_000_000) },
    { why: 'text', body: 'x'.repeat(5_000_000) },
  ])('of $why that Lambda can carry is left as it is', async ({ body }) => {
    const { statusCode } = await serve('get-info', async () => ({ status: 200, headers: {}, body }))(event);
    expect(statusCode).toBe(200);
  });

  it('to HEAD has the length in bytes, not in characters', async () => {
    const { event } = anEvent('HEAD', '/info');
    const { headers, body } = await serve('get-info', async () => json(200, 'é✓'))(event);
    expect([headers?.['content-length'], body]).toEqual(['7', '']);
  });
});
