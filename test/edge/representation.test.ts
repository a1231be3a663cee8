import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes, headersOnly, jsonText, type Response, redirect } from '../../shared/edge/response.ts';
import { serve } from '../../shared/edge/serve.ts';
import { answerHeaders, refusal } from '../functions/chartroom.ts';
import { anEvent } from '../functions/events.ts';

/** What a request with these headers gets where the endpoint answers so; the body as bytes. */
async function ask(response: Response, headers: Record<string, string> = {}, method = 'GET') {
  const { event } = anEvent(method, '/info', { headers });
  const answer = await serve('get-info', async () => response)(event);
  const body = Buffer.from(answer.body ?? '', answer.isBase64Encoded ? 'base64' : 'utf8');
  const own = Object.entries(answer.headers ?? {}).filter(([name]) => !Object.hasOwn(answerHeaders, name));
  return { status: answer.statusCode, headers: Object.fromEntries(own), body };
}

const text = JSON.stringify('é'.repeat(1_000));
const large = jsonText(200, text);
const small = jsonText(200, '0123456789');

const digest = (body: string) => createHash('sha256').update(body).digest('hex');
const headersOf = (body: string) => ({
  'content-type': 'application/json; charset=utf-8',
  etag: `"${digest(body)}"`,
  'cache-control': 'no-cache',
  vary: 'Accept-Encoding',
});
const plain = { ...headersOf(text), 'accept-ranges': 'bytes' };
const gzip = { ...headersOf(text), etag: `"${digest(text)}-gzip"`, 'content-encoding': 'gzip' };

describe('the tag of an answer', () => {
  it('is the SHA-256 of its body, and clients ask each time', async () => {
    expect(await ask(large)).toEqual({ status: 200, headers: plain, body: Buffer.from(text) });
  });

  it.each([
    { why: "the endpoint's own tag", headers: { etag: '"7-x"' } },
    { why: "the endpoint's own word on caching", headers: { 'cache-control': 'max-age=60' } },
  ])('gives way to $why', async ({ headers }) => {
    expect((await ask(jsonText(200, text, headers))).headers).toEqual({ ...plain, ...headers });
  });

  it.each([
    { what: 'what must not be stored', response: jsonText(200, text, { 'cache-control': 'no-store' }) },
    { what: 'a refusal', response: jsonText(404, text) },
    { what: 'a redirect', response: redirect('https://bucket.invalid/x', { etag: '"1-x"' }) },
  ])('is not given to $what, nor is its form chosen', async ({ response }) => {
    const asked = { 'accept-encoding': 'gzip', range: 'bytes=0-1', 'if-none-match': '*' };
    const { status, headers, body } = await ask(response, asked);
    expect({ status, headers, body: body.toString() }).toEqual(response);
  });

  it('is not given to the answer to anything but GET and HEAD', async () => {
    const { headers } = await ask(small, { 'if-none-match': '*', range: 'bytes=0-1' }, 'POST');
    expect(headers).toEqual(small.headers);
  });
});

describe('If-None-Match', () => {
  const { 'content-type': _, ...kept } = headersOf(text);

  it.each([
    { named: `"${digest(text)}"`, etag: kept.etag },
    { named: `"x", W/"${digest(text)}"`, etag: kept.etag },
    { named: '*', etag: kept.etag },
    { named: gzip.etag, etag: gzip.etag },
  ])('with $named is answered 304 without a body', async ({ named, etag }) => {
    for (const asked of [{}, { 'accept-encoding': 'gzip' }, { range: 'bytes=0-1' }]) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await ask(large, { ...asked, 'if-none-match': named }, method);
        expect(answer).toEqual({ status: 304, headers: { ...kept, etag }, body: Buffer.alloc(0) });
      }
    }
  });

  it.each(['"x"', `"${digest(text)}-br"`, digest(text), ''])('with %j gets the body', async (named) => {
    expect((await ask(large, { 'if-none-match': named })).status).toBe(200);
  });

  it('is honoured by HEAD of what GET would be redirected to', async () => {
    const described = headersOnly(200, { etag: '"x"', 'content-length': '9', 'cache-control': 'no-cache' });
    const answer = await ask(described, { 'if-none-match': '"x"' }, 'HEAD');
    expect(answer).toMatchObject({ status: 304, headers: { etag: '"x"', 'cache-control': 'no-cache' } });
    expect((await ask(described, {}, 'HEAD')).headers).toEqual(described.headers);
  });
});

describe('gzip', () => {
  it.each(['gzip', 'GZIP', 'br, gzip;q=0.1', '*', 'identity;q=0.5, gzip', 'deflate, gzip;q=1.0'])(
    'is sent to whoever asks by %j, under a tag of its own',
    async (accepted) => {
      const { status, headers, body } = await ask(large, { 'accept-encoding': accepted });
      expect({ status, headers }).toEqual({ status: 200, headers: gzip });
      expect(gunzipSync(body).toString()).toBe(text);
      expect(body.length).toBeLessThan(text.length);
    },
  );

  it.each([undefined, '', 'br', 'gzip;q=0', 'identity', 'gzip;q=0.5, identity', '*;q=0', 'gzip;q=0, *'])(
    'is not sent to whoever says %j',
    async (accepted) => {
      const asked = accepted === undefined ? {} : { 'accept-encoding': accepted };
      expect(await ask(large, asked)).toEqual({ status: 200, headers: plain, body: Buffer.from(text) });
    },
  );

  it('is not worth it for less than 1 KB, unless nothing else is taken', async () => {
    expect((await ask(small, { 'accept-encoding': 'gzip' })).headers).toEqual({
      ...headersOf('0123456789'),
      'accept-ranges': 'bytes',
    });
    const { headers, body } = await ask(small, { 'accept-encoding': 'gzip, identity;q=0' });
    expect([headers['content-encoding'], gunzipSync(body).toString()]).toEqual(['gzip', '0123456789']);
  });

  it.each(['text/html; charset=utf-8', 'application/json', 'application/yaml', 'application/x-yaml'])(
    'is for %s',
    async (type) => {
      const { headers } = await ask(bytes(type, Buffer.from(text)), { 'accept-encoding': 'gzip' });
      expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    },
  );

  it.each(['application/x-tar', 'application/gzip', 'application/octet-stream', 'application/jsonx'])(
    'is not for %s, which does not vary',
    async (type) => {
      const { headers } = await ask(bytes(type, Buffer.from(text)), { 'accept-encoding': 'gzip' });
      expect(headers).toEqual({ ...plain, 'content-type': type, vary: undefined });
    },
  );

  it('gives the same bytes under the same tag', async () => {
    const asked = { 'accept-encoding': 'gzip' };
    expect(await ask(large, asked)).toEqual(await ask(large, asked));
  });

  it('counts where an answer is too large for Lambda', async () => {
    const huge = jsonText(200, JSON.stringify('x'.repeat(8_000_000)));
    expect((await ask(huge)).status).toBe(413);
    expect((await ask(huge, {}, 'HEAD')).status).toBe(413);
    const { status, body } = await ask(huge, { 'accept-encoding': 'gzip' });
    expect([status, gunzipSync(body).length]).toEqual([200, 8_000_002]);
  });
});

describe('Range', () => {
  const ranged = { ...headersOf('0123456789'), 'accept-ranges': 'bytes' };

  it.each([
    { range: 'bytes=0-3', content: '0123', part: '0-3' },
    { range: 'bytes=4-', content: '456789', part: '4-9' },
    { range: 'bytes=8-99', content: '89', part: '8-9' },
    { range: 'bytes=-2', content: '89', part: '8-9' },
    { range: 'bytes=-99', content: '0123456789', part: '0-9' },
    { range: 'Bytes=0-0', content: '0', part: '0-0' },
  ])('$range is answered with that part', async ({ range, content, part }) => {
    const { status, headers, body } = await ask(small, { range });
    expect({ status, headers }).toEqual({
      status: 206,
      headers: { ...ranged, 'content-range': `bytes ${part}/10` },
    });
    expect(body.toString()).toBe(content);
  });

  it.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('%s has nothing in it', async (range) => {
    const { status, headers, body } = await ask(small, { range });
    expect({ status, headers }).toEqual({
      status: 416,
      headers: { 'content-type': ranged['content-type'], 'content-range': 'bytes */10' },
    });
    const message = 'there are 10 bytes, and no such range among them';
    expect(body.toString()).toBe(refusal('RANGE_NOT_SATISFIABLE', message));
  });

  it.each(['bytes=0-1,4-5', 'bytes=3-2', 'bytes=-', 'bytes=a-b', 'bytes', 'lines=0-1', ''])(
    '%j is answered with the whole',
    async (range) => {
      const whole = { status: 200, headers: ranged, body: Buffer.from('0123456789') };
      expect(await ask(small, { range })).toEqual(whole);
    },
  );

  it('counts bytes, not characters', async () => {
    expect((await ask(jsonText(200, 'aé✓'), { range: 'bytes=2-3' })).body).toEqual(Buffer.from([0xa9, 0xe2]));
  });

  it('of an empty body has nothing in it', async () => {
    const { status, headers } = await ask(jsonText(200, ''), { range: 'bytes=0-' });
    expect([status, headers['content-range']]).toEqual([416, 'bytes */0']);
  });

  it('goes before compression', async () => {
    const { status, headers, body } = await ask(large, { range: 'bytes=0-9', 'accept-encoding': 'gzip' });
    expect([status, headers['content-encoding'], headers['etag']]).toEqual([206, undefined, plain.etag]);
    expect(body).toEqual(Buffer.from(text).subarray(0, 10));
  });

  it('is for GET alone', async () => {
    const { status, headers } = await ask(small, { range: 'bytes=0-1' }, 'HEAD');
    expect({ status, headers }).toEqual({ status: 200, headers: { ...ranged, 'content-length': '10' } });
  });

  it('makes a part of what would be too large for Lambda', async () => {
    const { status, body } = await ask(jsonText(200, 'x'.repeat(8_000_000)), { range: 'bytes=-5' });
    expect([status, body.toString()]).toEqual([206, 'xxxxx']);
  });

  it.each([
    { why: 'the tag of the answer', condition: ranged.etag, status: 206 },
    { why: 'another tag', condition: '"x"', status: 200 },
    { why: 'a weak tag', condition: `W/${ranged.etag}`, status: 200 },
    { why: 'the tag of the gzip form', condition: ranged.etag.replace(/"$/, '-gzip"'), status: 200 },
    { why: 'a date', condition: 'Wed, 21 Oct 2015 07:28:00 GMT', status: 200 },
  ])('with If-Range of $why is $status', async ({ condition, status }) => {
    expect((await ask(small, { range: 'bytes=0-1', 'if-range': condition })).status).toBe(status);
  });

  it('gives parts that join to the whole, wherever they are cut', async () => {
    const cuts = fc.string({ unit: 'binary', minLength: 2 }).chain((body) => {
      const size = Buffer.byteLength(body);
      return fc.tuple(fc.constant(body), fc.integer({ min: 1, max: size - 1 }));
    });
    await fc.assert(
      fc.asyncProperty(cuts, async ([body, at]) => {
        const first = await ask(jsonText(200, body), { range: `bytes=0-${at - 1}` });
        const rest = await ask(jsonText(200, body), { range: `bytes=${at}-` });
        expect(Buffer.concat([first.body, rest.body])).toEqual(Buffer.from(body));
      }),
    );
  });
});

it('HEAD has the headers of GET, whatever is asked', async () => {
  const asked = [{}, { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'gzip, identity;q=0' }];
  for (const [response, headers] of asked.flatMap((each) => [
    [large, each] as const,
    [small, each] as const,
  ])) {
    const get = await ask(response, headers);
    expect(await ask(response, headers, 'HEAD')).toEqual({
      ...get,
      headers: { ...get.headers, 'content-length': String(get.body.length) },
      body: Buffer.alloc(0),
    });
  }
});
