import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../../shared/domain/fault.ts';
import { callerOfToken } from '../../shared/domain/token-claims.ts';
import { tokenAuthentication } from '../../shared/token-credentials.ts';
import { accessTo, anRsaKey, aToken, audience, issuer } from '../tokens.ts';
import { runs } from './runs.ts';

const key = anRsaKey();
const now = Date.parse('2026-01-02T03:04:05.678Z');
const token = await aToken(key, { access: [accessTo('org', 'push')] }, { now });
const [header = '', claims = '', signature = ''] = token.split('.');

const encoded = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text).toString('base64url'));
const otherHeader = fc
  .record(
    {
      alg: fc.oneof(fc.constantFrom('RS256', 'none', 'HS256', 'PS256', 'ES256', 'dir'), fc.jsonValue()),
      kid: fc.jsonValue(),
      typ: fc.jsonValue(),
      crit: fc.oneof(fc.constant(['b64']), fc.jsonValue()),
      b64: fc.jsonValue(),
      jwk: fc.constant(anRsaKey().publicKey.export({ format: 'jwk' })),
      jku: fc.constant('https://evil.example.com/jwks.json'),
    },
    { requiredKeys: [] },
  )
  .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'));
const part = (own: string) => fc.oneof(fc.constant(own), encoded, otherHeader, fc.constant(''));
const text = fc.oneof(
  fc.string(),
  fc.tuple(part(header), part(claims), part(signature)).map((parts) => parts.join('.')),
  // Always too short: the last letter of a signature has bits that say nothing.
  fc
    .tuple(fc.nat(token.length - 5), fc.string({ maxLength: 3 }))
    .map(([at, put]) => token.slice(0, at) + put),
);

describe('whatever is sent as a token', () => {
  it('is refused unless its issuer signed it, and is no fault of ours', async () => {
    const authenticate = tokenAuthentication(
      {
        issuer,
        audience,
        algorithms: ['RS256', 'PS256', 'ES256'],
        realm: 'Chartroom',
        keys: [{ kty: 'RSA', ...key.publicKey.export({ format: 'jwk' }) }],
      },
      { now: () => now },
    );
    const property = fc.asyncProperty(text, async (sent) => {
      const outcome = await authenticate(sent).catch((error: unknown) => error);
      if (sent === token) expect(outcome).toMatchObject({ name: 'ci' });
      else expect(outcome).toMatchObject({ name: 'Fault', code: 'wrong_credentials' });
    });
    await fc.assert(property, runs(1000));
  });

  it('gives at most what its claims name, whatever their shape', () => {
    const entry = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          type: fc.oneof(fc.constant('artifact-repository'), fc.jsonValue()),
          name: fc.oneof(
            fc.constantFrom('*', 'org/*', '..', 'org/../x', 'org', ''),
            fc.string(),
            fc.jsonValue(),
          ),
          actions: fc.oneof(
            fc.array(fc.oneof(fc.constantFrom('pull', 'push', 'delete', '*'), fc.jsonValue())),
            fc.jsonValue(),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    const property = fc.property(fc.oneof(fc.array(entry), fc.jsonValue()), (access) => {
      try {
        const { grants } = callerOfToken({ sub: 'ci', access });
        const named = new Set((access as { name?: string }[]).map((each) => Object(each).name));
        for (const { role, on } of grants) {
          expect(role).not.toBe('admin');
          expect(on).not.toContain('*');
          expect(named).toContain(on || 'repo');
        }
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        expect(Array.isArray(access)).toBe(false);
      }
    });
    fc.assert(property, runs(3000));
  });
});
