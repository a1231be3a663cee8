import { createHmac, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokenSettings } from '../infra/token-settings.ts';
import { bind, close } from '../local/listen.ts';
import { tokenAuthentication } from '../shared/token-credentials.ts';
import { accessTo, anEcKey, anRsaKey, aToken, audience, issuer, pem } from './tokens.ts';

const key = anRsaKey();
const foreign = anRsaKey();
const start = Date.parse('2026-01-02T03:04:05.678Z');
const seconds = Math.floor(start / 1000);

type Changes = {
  readonly jwtPublicKey?: string;
  readonly jwtJwksUrl?: string;
  readonly jwtAlgorithms?: string;
};

/** What checks tokens, told as a deployment tells it, and a clock that the test moves. */
function aHouse(changes: Changes = { jwtPublicKey: pem(key) }) {
  const none = { jwtAlgorithms: 'RS256', jwtPublicKey: '', jwtJwksUrl: '', jwtRealm: '' };
  const settings = tokenSettings({ ...none, jwtIssuer: issuer, jwtAudience: audience, ...changes });
  if (settings === undefined) throw new Error('no tokens are taken');
  let now = start;
  return {
    authenticate: tokenAuthentication(settings, { now: () => now }),
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = {
  iss: issuer,
  aud: audience,
  sub: 'ci',
  exp: seconds + 300,
  access: [accessTo('org', 'push')],
};
const token = (changes = {}, by: { privateKey: KeyObject } = key, header = {}) =>
  aToken(by, changes, { header, now: start });

describe('a token', () => {
  it('names its bearer and what they may do', async () => {
    const access = [accessTo('org/team', 'pull'), accessTo('repo', 'pull', 'push')];
    await expect(aHouse().authenticate(await token({ access }))).resolves.toEqual({
      name: 'ci',
      kind: 'token',
      grants: [
        { role: 'reader', on: 'org/team' },
        { role: 'publisher', on: '' },
      ],
    });
  });

  it.each([
    { why: 'one audience of several', changes: { aud: ['else', audience] } },
    { why: 'a clock of its issuer half a minute ahead', changes: { iat: seconds + 29, nbf: seconds + 29 } },
    { why: 'no word on when it was issued', changes: { iat: undefined } },
  ])('is taken with $why', async ({ changes }) => {
    await expect(aHouse().authenticate(await token(changes))).resolves.toMatchObject({ name: 'ci' });
  });

  it.each([
    { why: 'another issuer', changes: { iss: 'https://evil.example.com' }, says: /"iss" is not/ },
    { why: 'no issuer', changes: { iss: undefined }, says: /"iss" is not/ },
    { why: 'another audience', changes: { aud: 'else' }, says: /"aud" is not/ },
    { why: 'no audience', changes: { aud: undefined }, says: /"aud" is not/ },
    { why: 'its end behind it', changes: { exp: seconds }, says: /it has expired/ },
    { why: 'no end', changes: { exp: undefined }, says: /"exp" is not/ },
    { why: 'an end that is no number', changes: { exp: '2099-01-01' }, says: /"exp" is not/ },
    { why: 'its beginning before it', changes: { nbf: seconds + 60 }, says: /"nbf" is not/ },
    { why: 'a beginning that is no number', changes: { nbf: 'now' }, says: /"nbf" is not/ },
    {
      why: 'an instant of issue in the future',
      changes: { iat: seconds + 60 },
      says: /issued in the future/,
    },
    { why: 'no bearer', changes: { sub: undefined }, says: /no "sub"/ },
    { why: 'a bearer that is no text', changes: { sub: 7 }, says: /no "sub"/ },
    { why: 'no access (Q18)', changes: { access: undefined }, says: /no "access"/ },
    { why: 'access that is null (Q18)', changes: { access: null }, says: /no "access"/ },
    {
      why: 'access that is no list',
      changes: { access: { 0: accessTo('org', 'push') } },
      says: /no "access"/,
    },
  ])('is refused with $why', async ({ changes, says }) => {
    const refused = expect(aHouse().authenticate(await token(changes))).rejects;
    await refused.toMatchObject({ code: 'wrong_credentials', message: expect.stringMatching(says) });
  });

  const unsigned = `${encode({ alg: 'none' })}.${encode(claims)}.`;
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`;
  const byPublicKey = `${signed}.${createHmac('sha256', pem(key)).update(signed).digest('base64url')}`;
  const altered = async (change: (parts: readonly string[]) => readonly string[]) =>
    change((await token()).split('.')).join('.');
  it.each([
    { why: 'no signature', text: async () => unsigned },
    { why: 'the public key taken for a secret (HS256)', text: async () => byPublicKey },
    { why: 'the key of somebody else', text: () => token({}, foreign) },
    { why: 'an algorithm that is not asked for', text: () => token({}, key, { alg: 'PS256' }) },
    { why: 'another kind of key', text: () => token({}, anEcKey(), { alg: 'ES256' }) },
    {
      why: 'other claims than were signed',
      text: () => altered(([a = '', , c = '']) => [a, encode(claims), c]),
    },
    { why: 'its signature cut off', text: () => altered(([a = '', b = '']) => [a, b, '']) },
    { why: 'a part too many', text: () => altered((parts) => [...parts, 'x', 'y']) },
    { why: 'claims that are no object', text: () => altered(([a = '', , c = '']) => [a, encode('x'), c]) },
    { why: 'what is no token', text: async () => 'x.y.z' },
    { why: 'nothing', text: async () => '' },
    {
      why: 'a header that must be understood',
      text: () => altered(([, b = '', c = '']) => [encode({ alg: 'RS256', crit: ['x'], x: 1 }), b, c]),
    },
  ])('is refused with $why, which nobody is told more about', async ({ text }) => {
    const refused = expect(aHouse().authenticate(await text())).rejects;
    await refused.toMatchObject({
      code: 'wrong_credentials',
      message: expect.stringContaining('algorithm or key'),
    });
  });

  it('is refused if it is larger than a gateway would bring', async () => {
    const large = await token({
      access: Array.from({ length: 100 }, () => accessTo('org/team/repository', 'push')),
    });
    await expect(aHouse().authenticate(large)).rejects.toMatchObject({
      code: 'wrong_credentials',
      message: expect.stringContaining('too long'),
    });
  });

  it('ends to the second, whoever has seen it before', async () => {
    const { authenticate, advance } = aHouse();
    const text = await token();
    await authenticate(text);
    advance(299_000);
    await authenticate(text);
    advance(1_000);
    await expect(authenticate(text)).rejects.toThrow('it has expired');
  });

  it('may be signed by either key while keys are changed, whatever it calls it', async () => {
    const { authenticate } = aHouse({ jwtPublicKey: `${pem(key)}\n${pem(foreign)}` });
    for (const each of [key, foreign]) {
      await expect(authenticate(await token({}, each, { kid: 'mine' }))).resolves.toMatchObject({
        name: 'ci',
      });
    }
    await expect(authenticate(await token({}, anRsaKey()))).rejects.toMatchObject({
      code: 'wrong_credentials',
    });
  });

  it.each([
    { algorithm: 'ES256', by: anEcKey() },
    { algorithm: 'ES384', by: anEcKey('P-384') },
    { algorithm: 'PS512', by: key },
  ])('may be signed by $algorithm where that is asked for', async ({ algorithm, by }) => {
    const { authenticate } = aHouse({ jwtPublicKey: pem(by), jwtAlgorithms: `RS256,${algorithm}` });
    const text = await token({}, by, { alg: algorithm });
    await expect(authenticate(text)).resolves.toMatchObject({ name: 'ci' });
  });
});

describe('keys that the issuer keeps', () => {
  let answer = { status: 200, body: '' };
  let reads = 0;
  const server = createServer((_, response) => {
    reads += 1;
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  let jwtJwksUrl = '';
  beforeAll(async () => {
    jwtJwksUrl = `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}/jwks.json`;
  });
  afterAll(() => close(server));
  const serve = (keys: Readonly<Record<string, { publicKey: KeyObject }>>) => {
    const jwks = Object.entries(keys).map(([kid, { publicKey }]) => ({
      kid,
      ...publicKey.export({ format: 'jwk' }),
    }));
    answer = { status: 200, body: JSON.stringify({ keys: jwks }) };
    reads = 0;
  };

  it('are read once, and chosen by name', async () => {
    serve({ a: key, b: foreign });
    const { authenticate } = aHouse({ jwtJwksUrl });
    await authenticate(await token({}, key, { kid: 'a' }));
    await authenticate(await token({}, foreign, { kid: 'b' }));
    await authenticate(await token({}, foreign));
    await expect(authenticate(await token({}, key, { kid: 'b' }))).rejects.toMatchObject({
      code: 'wrong_credentials',
    });
    expect(reads).toBe(1);
  });

  it('are not read again for every name that somebody makes up', async () => {
    serve({ a: key });
    const { authenticate } = aHouse({ jwtJwksUrl });
    for (const kid of ['x', 'y', 'z']) {
      await expect(authenticate(await token({}, key, { kid }))).rejects.toMatchObject({
        code: 'wrong_credentials',
      });
    }
    expect(reads).toBe(1);
  });

  it.each([
    { why: 'cannot be had', status: 503, body: '' },
    { why: 'are none', status: 200, body: '{}' },
  ])('let nobody in when they $why, and that is no fault of the client', async (broken) => {
    serve({ a: key });
    answer = broken;
    const { authenticate } = aHouse({ jwtJwksUrl });
    await expect(authenticate(await token())).rejects.not.toMatchObject({ code: 'wrong_credentials' });
  });
});
