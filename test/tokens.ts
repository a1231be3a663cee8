import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';

type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** A key to sign tokens with. */
export const anRsaKey = (modulusLength = 2048): KeyPair => generateKeyPairSync('rsa', { modulusLength });
export const anEcKey = (namedCurve = 'P-256'): KeyPair => generateKeyPairSync('ec', { namedCurve });

export const pem = ({ publicKey }: KeyPair): string =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();

/** What the deployments of these tests trust. */
export const issuer = 'https://login.example.com';
export const audience = 'charts.example.com';

/** One entry of `access`. */
export const accessTo = (name: string, ...actions: readonly string[]) => ({
  type: 'artifact-repository',
  name,
  actions,
});

type Claims = Readonly<Record<string, unknown>>;

/** A signed token of `ci` that lives for five minutes; a claim that is undefined is left out. */
export async function aToken(
  { privateKey }: Pick<KeyPair, 'privateKey'>,
  claims: Claims = {},
  { header = {}, now = Date.now() }: { header?: { alg?: string; kid?: string }; now?: number } = {},
): Promise<string> {
  const issued = Math.floor(now / 1000);
  const usual = { iss: issuer, aud: audience, sub: 'ci', iat: issued, exp: issued + 300, access: [] };
  return await new SignJWT({ ...usual, ...claims })
    .setProtectedHeader({ alg: 'RS256', ...header })
    .sign(privateKey);
}
