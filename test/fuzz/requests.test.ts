import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../shared/clock.ts';
import { basicAuthentication } from '../../shared/edge/authenticate.ts';
import { authorization } from '../../shared/edge/authorize.ts';
import { json } from '../../shared/edge/response.ts';
import { serve } from '../../shared/edge/serve.ts';
import { settingsReader } from '../../shared/repository-settings.ts';
import { routes } from '../../shared/routes.ts';
import { aChartroom, contents, publish } from '../functions/chartroom.ts';
import { anEvent } from '../functions/events.ts';
import { aPackage } from '../packages.ts';
import { memorySettings } from '../store/memory-settings.ts';
import { expectAnswer } from './expectations.ts';
import { runs } from './runs.ts';

const demo = await aPackage({ files: { 'values.yaml': 'a: 1\n' } });

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 6 }));
const word = fc.oneof(
  fc.constantFrom(
    'api',
    'charts',
    'prov',
    'uploads',
    'index.yaml',
    'health',
    'info',
    'static',
    'v2',
    '-',
    'readme',
  ),
  fc.constantFrom(
    'demo',
    '1.0.0',
    'latest',
    '^1',
    '>0 <2 || 3',
    '*',
    'demo-1.0.0.tgz',
    'demo-1.0.0.tgz.prov',
    'values',
  ),
  fc.constantFrom(
    '.',
    '..',
    '...',
    '',
    '%2F',
    '%',
    '__proto__',
    'constructor',
    '\0',
    '\u202e',
    'a'.repeat(300),
    '-1.2.3',
  ),
  fc.tuple(text, fc.nat(3000)).map(([unit, count]) => unit.repeat(count / Math.max(unit.length, 1))),
  text,
);
/** A part of a path as a client may write it: everything encoded, nothing but what must be, or twice. */
const segment = fc.tuple(word, fc.constantFrom('encoded', 'bare', 'twice')).map(([part, how]) => {
  const encoded = encodeURIComponent(part);
  if (how === 'twice') return encodeURIComponent(encoded);
  return how === 'bare' ? encoded.replaceAll(/%(2B|2C|3A|40|5E|7E)/g, decodeURIComponent) : encoded;
});

const anyPath = fc.array(segment, { maxLength: 8 }).map((parts) => `/${parts.join('/')}`);
/** What is there, by the parameter of a path that names it. */
const there: Readonly<Record<string, string>> = { name: 'demo', version: '1.0.0', file: 'demo-1.0.0.tgz' };
const routePath = fc
  .tuple(
    fc.constantFrom(...new Set(routes.map(({ path }) => path))),
    fc.array(fc.option(segment, { freq: 2 }), { minLength: 5, maxLength: 5 }),
  )
  .map(([template, parts]) => {
    const rest = parts.values();
    return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => rest.next().value ?? there[name] ?? 'org');
  });
const query = fc.oneof(
  fc.constant(''),
  fc
    .array(
      fc.tuple(
        fc.oneof(fc.constantFrom('limit', 'offset', 'force'), text),
        fc.oneof(fc.constantFrom('1', '0', '-1', '1e9', '9'.repeat(400)), text),
      ),
      { maxLength: 3 },
    )
    .map((pairs) => `?${new URLSearchParams(pairs)}`),
  fc.constantFrom('?', '?%', '?limit', '?&&=', '?limit=%zz', '?force'),
);
/** What is there and what may come, so that in every run some are answered with each kind of success. */
const goodPath = fc.constantFrom(
  '/index.yaml',
  '/charts/demo-1.0.0.tgz',
  '/api/org/charts',
  '/api/charts/demo',
);
const path = fc.oneof(routePath, anyPath, goodPath);
const target = fc.tuple(path, query).map((parts) => parts.join(''));
const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE') },
  fc.constantFrom('PUT', 'PATCH', 'OPTIONS', 'TRACE', 'get', 'BREW'),
);

// What the gateway hands on: HTTP has no line ends and no NUL inside a header.
const value = fc.oneof(
  fc.constantFrom(
    '',
    '*',
    '"',
    'W/"x"',
    '""',
    'W/',
    ',',
    ';',
    '='.repeat(5000),
    '"a", "b"',
    'bytes=0-',
    'bytes=-1,5-2',
  ),
  fc.constantFrom(
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'text/plain',
    'application/json; charset=x',
    '/',
  ),
  fc.constantFrom(
    'Basic',
    'Basic ',
    'Basic ===',
    'Basic OjpAOg==',
    'Bearer x',
    'gzip;q=0, *;q=x',
    'https',
    "'><script>",
  ),
  fc
    .tuple(text, fc.nat(2000))
    .map(([unit, count]) => unit.repeat(count / Math.max(unit.length, 1)).replaceAll(/[\0\r\n]/g, '')),
);
const headerName = fc.constantFrom(
  'content-type',
  'x-request-id',
  'if-none-match',
  'range',
  'authorization',
  'accept-encoding',
  'host',
  'x-forwarded-proto',
  'content-length',
  'Content-Type',
  'origin',
  '__proto__',
);
const headers = fc.dictionary(headerName, value, { maxKeys: 4, noNullPrototype: true });
const body = fc.option(fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(new Uint8Array(demo))), {
  nil: undefined,
});

describe('whatever is asked', () => {
  it('is answered without a fault of ours, and a refusal changes nothing', async () => {
    const statuses = new Set<number | undefined>();
    const property = fc.asyncProperty(method, target, headers, body, async (verb, asked, sent, bytes) => {
      const chartroom = aChartroom();
      await publish(chartroom, demo);
      await chartroom.send('GET', '/index.yaml');
      const before = contents(chartroom);
      const answer = await chartroom.send(verb, asked, { headers: sent, ...(bytes && { body: bytes }) });
      statuses.add(answer.status);
      expectAnswer(answer, { method: verb });
      const mayChange = (verb === 'POST' || verb === 'DELETE') && Number(answer.status) < 300;
      if (!mayChange) expect(contents(chartroom).items).toEqual(before.items);
    });
    await fc.assert(property, runs(1500));
    expect([...statuses]).toEqual(expect.arrayContaining([200, 201, 302, 400, 404, 405]));
  });

  it('is answered alone to who knows the password', async () => {
    const credentials = { username: 'admin', password: 'pass:wörd' };
    const grants = [{ role: 'admin', on: '*' }] as const;
    const right = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
    const header = fc.oneof(
      value,
      fc
        .tuple(
          fc.constantFrom('Basic ', 'basic  ', 'BASIC ', 'Basic', 'Bearer '),
          fc.oneof(
            fc.constantFrom(right, right.replace('=', ''), `${right}=`, ` ${right}`, `${right}, ${right}`),
            text.map((pair) => Buffer.from(pair).toString('base64')),
            text.map((password) => Buffer.from(`admin:${password}`).toString('base64')),
          ),
        )
        .map((parts) => parts.join('')),
    );
    const endpoint = serve(
      'get-chart',
      async () => json(200, {}),
      authorization('get-chart', {
        authenticate: basicAuthentication(async (given) =>
          isDeepStrictEqual(given, credentials) ? { name: 'admin', kind: 'user', grants } : undefined,
        ),
        settingsOf: settingsReader(memorySettings(), {}),
        gate: { isThere: async () => true, mustBeThere: async () => {} },
        locate: async (request) => request,
        clock: systemClock,
      }),
    );
    const property = fc.asyncProperty(header, async (authorization) => {
      const { event } = anEvent('GET', '/api/charts/demo', { headers: { authorization } });
      const { statusCode, headers: answered } = await endpoint(event);
      const [scheme = '', encoded = '', ...more] = authorization.trim().split(/ +/);
      const sent = Buffer.from(encoded, 'base64').toString();
      const isRight = scheme.toLowerCase() === 'basic' && more.length === 0 && sent === 'admin:pass:wörd';
      if (authorization === `Basic ${right}`) expect(statusCode).toBe(200);
      if (!isRight)
        expect([statusCode, answered?.['www-authenticate']]).toEqual([401, 'Basic realm="Chartroom"']);
    });
    await fc.assert(property, runs(500));
  });
});
