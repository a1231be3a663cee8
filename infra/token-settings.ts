import { createPublicKey, type KeyObject } from 'node:crypto';
import { matching, refuseSetting, type SettingRows, SettingsError } from '../shared/domain/settings.ts';
import type { TokenSettings } from '../shared/token-credentials.ts';

/** Whose tokens (JWT) are taken; all of it, or nothing. */
export type JwtSettings = {
  /** `iss` of the tokens that are taken; empty for none. @default '' */
  readonly jwtIssuer: string;
  /** What their `aud` must name. @default '' */
  readonly jwtAudience: string;
  /** Asymmetric algorithms that count, with commas between. @default 'RS256' */
  readonly jwtAlgorithms: string;
  /** Public keys in PEM, or certificates, one after the other. @default '' */
  readonly jwtPublicKey: string;
  /** Where the issuer keeps its public keys (a JWK set), instead of `jwtPublicKey`. @default '' */
  readonly jwtJwksUrl: string;
  /** Where a client gets a token, for the challenge of a 401. @default '' */
  readonly jwtRealm: string;
};

/** Which keys an algorithm takes: by type, or by curve where it has one. */
const ALGORITHMS: Readonly<Record<string, string>> = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
  Ed25519: 'Ed25519',
};

// The environment of a function takes 4 KB in all; this is three keys of 4096 bits.
const MOST_KEY_BYTES = 2_300;

// They stand in quotes in a header.
const QUOTABLE = matching(
  /^[!#-[\]-~]{0,256}$/,
  'visible ASCII without quotes or "\\", at most 256 characters',
);

export const jwtSettings: SettingRows<JwtSettings> = {
  jwtIssuer: { fallback: '', parse: QUOTABLE },
  jwtAudience: { fallback: '', parse: QUOTABLE },
  jwtAlgorithms: { fallback: 'RS256', parse: parseAlgorithms },
  jwtPublicKey: {
    fallback: '',
    parse: (value, key) => {
      const text = typeof value === 'string' ? value : refuseSetting(key, value, WANTED_KEYS);
      readKeys(text);
      return text;
    },
  },
  jwtJwksUrl: { fallback: '', parse: parseJwksUrl },
  jwtRealm: { fallback: '', parse: QUOTABLE },
};

function parseAlgorithms(value: unknown, key: string): string {
  const names = typeof value === 'string' ? value.split(',') : [];
  if (names.length > 0 && names.every((name) => Object.hasOwn(ALGORITHMS, name))) return names.join();
  // "none" is no signature at all; with HS256 whoever can check a token can make one.
  return refuseSetting(
    key,
    value,
    `one of ${Object.keys(ALGORITHMS).join(', ')}, or some with commas between: "none" signs nothing, and the key of HS256 would let everyone who checks tokens make them`,
  );
}

/** A key fetched by http could be anybody's; on this computer it is for trying. */
function parseJwksUrl(value: unknown, key: string): string {
  if (value === '') return '';
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url?.hostname ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isHere);
  if (url !== undefined && isSafe && url.username === '' && url.password === '') return url.href;
  return refuseSetting(
    key,
    value,
    'an https URL without password, such as "https://login.example.com/.well-known/jwks.json"',
  );
}

const WANTED_KEYS =
  'public keys in PEM ("-----BEGIN PUBLIC KEY-----…", or certificates), one after the other, of RSA (2048 bits or more), P-256, P-384, P-521 or Ed25519';

/** The keys as JWK: half as long as PEM, and nothing is left to read when a function starts. */
function readKeys(text: string): (TokenSettings['keys'] & object)[number][] {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]*-----END \1-----/g) ?? [];
  const rest = blocks.reduce((left, block) => left.replace(block, ''), text).trim();
  // Node makes a public key out of a private one, which would then lie in cdk.json.
  if (rest !== '' || text.includes('PRIVATE KEY')) return refuseKeys();
  const keys = blocks.map(readKey);
  if (Buffer.byteLength(JSON.stringify(keys)) <= MOST_KEY_BYTES) return keys;
  throw new SettingsError(
    'setting "jwtPublicKey" has too many keys: for more than two or three use "jwtJwksUrl"',
  );
}

function readKey(pem: string) {
  let key: KeyObject;
  try {
    key = createPublicKey(inLines(pem));
  } catch {
    return refuseKeys();
  }
  const { modulusLength = 2048 } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < 2048) return refuseKeys();
  const { kty, n, e, crv, x, y } = key.export({ format: 'jwk' });
  const kind = crv ?? kty ?? '';
  if (!Object.values(ALGORITHMS).includes(kind)) return refuseKeys();
  return { kty: kty ?? '', ...(n && e && { n, e }), ...(crv && { crv }), ...(x && { x }), ...(y && { y }) };
}

/** The command line of cdk drops all but the first line of a value, so keys come in one; OpenSSL reads lines. */
function inLines(pem: string): string {
  const [, begin = '', body = '', end = ''] = /^(-+[^-]+-+)([^-]*)(-+[^-]+-+)$/.exec(pem) ?? [];
  return [begin, ...(body.replaceAll(/\s/g, '').match(/.{1,64}/g) ?? []), end].join('\n');
}

/** What was given is not shown: it may be a private key. */
function refuseKeys(): never {
  throw new SettingsError(`setting "jwtPublicKey" cannot be used: it must be ${WANTED_KEYS}`);
}

/**
 * Whose tokens are taken.
 *
 * @returns undefined if none are
 * @throws SettingsError for a half of it, which would take no token, or those of too many
 */
export function tokenSettings(settings: JwtSettings): TokenSettings | undefined {
  const { jwtIssuer, jwtAudience, jwtAlgorithms, jwtPublicKey, jwtJwksUrl, jwtRealm } = settings;
  const isAsked = Object.entries(jwtSettings).some(
    ([key, { fallback }]) => settings[key as keyof JwtSettings] !== fallback,
  );
  if (!isAsked) return undefined;
  const missing = [
    ...(jwtIssuer === '' ? ['"jwtIssuer"'] : []),
    ...(jwtAudience === '' ? ['"jwtAudience"'] : []),
    ...(jwtPublicKey === '' && jwtJwksUrl === '' ? ['"jwtPublicKey" or "jwtJwksUrl"'] : []),
  ];
  if (missing.length > 0) {
    throw new SettingsError(
      `to take tokens, set ${missing.join(' and ')} too; or leave all "jwt…" settings out`,
    );
  }
  if (jwtPublicKey !== '' && jwtJwksUrl !== '') {
    throw new SettingsError('settings "jwtPublicKey" and "jwtJwksUrl" are two places for keys: take one');
  }
  const algorithms = jwtAlgorithms.split(',');
  const keys = readKeys(jwtPublicKey);
  const useless = keys.find(({ kty, crv }) => algorithms.every((name) => ALGORITHMS[name] !== (crv ?? kty)));
  if (useless !== undefined) {
    throw new SettingsError(
      `setting "jwtPublicKey" has a key of ${useless.crv ?? useless.kty}, which none of "jwtAlgorithms" (${jwtAlgorithms}) takes`,
    );
  }
  return {
    issuer: jwtIssuer,
    audience: jwtAudience,
    algorithms,
    realm: jwtRealm || 'Chartroom',
    keys: jwtJwksUrl || keys,
  };
}
