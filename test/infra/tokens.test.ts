import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { functionIds } from '../../infra/functions.ts';
import { parseSettings } from '../../infra/settings.ts';
import { tokenSettings } from '../../infra/token-settings.ts';
import { environmentVariables } from '../../shared/contract.ts';
import { SettingsError } from '../../shared/domain/settings.ts';
import { endpoints } from '../../shared/routes.ts';
import { anEcKey, anRsaKey, audience, issuer, pem } from '../tokens.ts';
import { environmentOf, rightsOf, synthesize } from './synthesize.ts';

const key = anRsaKey();
const privateKey = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const { n, e } = key.publicKey.export({ format: 'jwk' });
const whole = { jwtIssuer: issuer, jwtAudience: audience, jwtPublicKey: pem(key) };
const tokensIn = (template: ReturnType<typeof synthesize>) =>
  JSON.parse(String(environmentOf(template, 'get-index')[environmentVariables.tokens]));
/** What the functions would be told, without a whole template for each case. */
const tokensOf = (context: Record<string, unknown>) =>
  JSON.parse(JSON.stringify(tokenSettings(parseSettings((key) => context[key]))));

describe('a deployment that takes tokens', () => {
  const withTokens = synthesize(whole);
  const without = synthesize();
  const asking = Object.entries(endpoints).flatMap(([id, { permission }]) =>
    permission === 'none' ? [] : [id],
  );

  it.each(functionIds)('%s knows whose if, and only if, it asks who calls', (id) => {
    const told = environmentOf(withTokens, id)[environmentVariables.tokens];
    expect(told !== undefined).toBe(asking.includes(id));
    expect(environmentOf(without, id)).not.toHaveProperty(environmentVariables.tokens);
  });

  it('gives its functions no right for that', () => {
    for (const id of functionIds) expect(rightsOf(withTokens, id)).toEqual(rightsOf(without, id));
  });

  it('tells them nothing where nobody is asked', () => {
    const open = synthesize({ ...whole, access: 'open', accessReason: 'a mirror' });
    expect(environmentOf(open, 'get-index')).not.toHaveProperty(environmentVariables.tokens);
  });

  it('tells them the public key, its issuer and what is asked of a token', () => {
    expect(tokensIn(withTokens)).toEqual({
      issuer,
      audience,
      algorithms: ['RS256'],
      realm: 'Chartroom',
      keys: [{ kty: 'RSA', n, e }],
    });
  });

  it('takes several keys, algorithms, and a place for both', () => {
    const [another, curve] = [anRsaKey(), anEcKey()];
    const jwtPublicKey = `\n${pem(key)}\n${pem(another)}${pem(curve)}`;
    const jwtRealm = 'https://login.example.com/token';
    const tokens = tokensOf({ ...whole, jwtPublicKey, jwtAlgorithms: 'RS256,ES256', jwtRealm });
    expect(tokens).toMatchObject({ algorithms: ['RS256', 'ES256'], realm: jwtRealm });
    expect(tokens.keys.map(({ kty }: { kty: string }) => kty)).toEqual(['RSA', 'RSA', 'EC']);
  });

  it('takes keys in one line, which is all that the command line of cdk carries', () => {
    const jwtPublicKey = `${pem(key)}${pem(key)}`.replaceAll('\n', '');
    expect(tokensOf({ ...whole, jwtPublicKey }).keys).toEqual([
      { kty: 'RSA', n, e },
      { kty: 'RSA', n, e },
    ]);
  });

  it('takes a certificate', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chartroom-certificate-'));
    try {
      const file = join(folder, 'key.pem');
      writeFileSync(file, privateKey);
      const args = ['req', '-x509', '-key', file, '-subj', '/CN=login.example.com', '-days', '1'];
      const jwtPublicKey = execFileSync('openssl', args, { encoding: 'utf8' });
      expect(tokensOf({ ...whole, jwtPublicKey }).keys).toEqual([{ kty: 'RSA', n, e }]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(['https://login.example.com/.well-known/jwks.json', 'http://127.0.0.1:9000/jwks'])(
    'takes the keys that lie at %s',
    (jwtJwksUrl) => {
      expect(tokensOf({ ...whole, jwtPublicKey: '', jwtJwksUrl }).keys).toBe(jwtJwksUrl);
    },
  );

  it('takes keys that fit into the environment of a function', () => {
    const large = readFileSync('test/fixtures/keys/large.pub.pem', 'utf8');
    expect(tokensOf({ ...whole, jwtPublicKey: large.repeat(3) }).keys).toHaveLength(3);
    expect(() => tokensOf({ ...whole, jwtPublicKey: large.repeat(4) })).toThrow(/use "jwtJwksUrl"/);
  });

  const exotic = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  it.each([
    {
      why: 'an issuer alone',
      context: { jwtIssuer: issuer },
      says: /set "jwtAudience" and "jwtPublicKey" or "jwtJwksUrl" too/,
    },
    {
      why: 'a key alone',
      context: { jwtPublicKey: pem(key) },
      says: /set "jwtIssuer" and "jwtAudience" too/,
    },
    { why: 'no audience', context: { ...whole, jwtAudience: '' }, says: /set "jwtAudience" too/ },
    { why: 'a realm alone', context: { jwtRealm: 'https://x' }, says: /set "jwtIssuer"/ },
    { why: 'algorithms alone', context: { jwtAlgorithms: 'ES256' }, says: /set "jwtIssuer"/ },
    { why: 'a key and a URL', context: { ...whole, jwtJwksUrl: 'https://x/jwks' }, says: /take one/ },
    { why: 'the algorithm none', context: { ...whole, jwtAlgorithms: 'none' }, says: /"none" signs nothing/ },
    { why: 'a shared secret', context: { ...whole, jwtAlgorithms: 'RS256,HS256' }, says: /make them/ },
    { why: 'no algorithm', context: { ...whole, jwtAlgorithms: '' }, says: /"jwtAlgorithms"/ },
    {
      why: 'a name that every object has',
      context: { ...whole, jwtAlgorithms: 'toString' },
      says: /"jwtAlgorithms"/,
    },
    {
      why: 'a key that no algorithm takes',
      context: { ...whole, jwtPublicKey: pem(anEcKey()) },
      says: /a key of P-256, which none/,
    },
    {
      why: 'keys by http',
      context: { ...whole, jwtPublicKey: '', jwtJwksUrl: 'http://login.example.com/jwks' },
      says: /"jwtJwksUrl"/,
    },
    {
      why: 'keys by a file',
      context: { ...whole, jwtPublicKey: '', jwtJwksUrl: 'file:///etc/keys' },
      says: /"jwtJwksUrl"/,
    },
    {
      why: 'a password in a URL',
      context: { ...whole, jwtPublicKey: '', jwtJwksUrl: 'https://a:b@x/jwks' },
      says: /"jwtJwksUrl"/,
    },
    { why: 'a private key', context: { ...whole, jwtPublicKey: privateKey }, says: /must be public keys/ },
    { why: 'a short key', context: { ...whole, jwtPublicKey: pem(anRsaKey(1024)) }, says: /2048 bits/ },
    { why: 'another curve', context: { ...whole, jwtPublicKey: pem(exotic) }, says: /must be public keys/ },
    { why: 'a path to a key', context: { ...whole, jwtPublicKey: 'key.pem' }, says: /must be public keys/ },
    {
      why: 'a broken key',
      context: { ...whole, jwtPublicKey: pem(key).replace('MII', 'MIX') },
      says: /must be public keys/,
    },
    {
      why: 'something beside a key',
      context: { ...whole, jwtPublicKey: `${pem(key)}x` },
      says: /must be public keys/,
    },
    { why: 'a realm that ends its quotes', context: { ...whole, jwtRealm: 'x",y="z' }, says: /"jwtRealm"/ },
    { why: 'an audience in two lines', context: { ...whole, jwtAudience: 'x\ny' }, says: /"jwtAudience"/ },
  ])('refuses $why', ({ context, says }) => {
    expect(() => tokensOf(context)).toThrow(SettingsError);
    expect(() => tokensOf(context)).toThrow(says);
  });

  it('is not deployed with half of it', () => {
    expect(() => synthesize({ jwtIssuer: issuer })).toThrow(SettingsError);
  });

  it('shows no key that it refuses', () => {
    const jwtPublicKey = privateKey;
    expect(() => tokensOf({ ...whole, jwtPublicKey })).not.toThrow(privateKey.slice(30, 60));
  });
});
