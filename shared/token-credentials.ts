import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Clock } from './clock.ts';
import type { Caller } from './domain/access.ts';
import { Fault } from './domain/fault.ts';
import { callerOfToken } from './domain/token-claims.ts';

/** Whose tokens are taken, and how they are checked. */
export type TokenSettings = {
  readonly issuer: string;
  readonly audience: string;
  /** Asymmetric ones. */
  readonly algorithms: readonly string[];
  /** Where a client gets a token, for the challenge. */
  readonly realm: string;
  /** Public keys, or the URL where the issuer keeps them. */
  readonly keys: readonly JWK[] | string;
};

/**
 * Says who bears a token.
 *
 * @throws Fault `wrong_credentials` for one that is not taken
 */
export type AuthenticateToken = (token: string) => Promise<Caller>;

// The gateway takes 10 KB of headers; what is longer is not worth the check.
const MOST_TOKEN_CHARACTERS = 8192;

// How far the issuer's clock may be ahead. A token that has expired has, whatever the clocks say.
const TOLERANCE_SECONDS = 30;

// A key that its issuer took back is honoured this long at most, in an execution environment that knew it.
const KEYS_REMEMBERED_MS = 5 * 60_000;

/** Checks JSON Web Tokens (RFC 7519). One check takes a fraction of a millisecond: no token is remembered. */
export function tokenAuthentication(settings: TokenSettings, clock: Pick<Clock, 'now'>): AuthenticateToken {
  const keys = keysOf(settings);
  return async (token) => {
    if (token.length > MOST_TOKEN_CHARACTERS) throw refused('it is too long');
    const now = clock.now();
    const claims = await verify(token, keys, {
      issuer: settings.issuer,
      audience: settings.audience,
      algorithms: [...settings.algorithms],
      clockTolerance: TOLERANCE_SECONDS,
      requiredClaims: ['exp'],
      currentDate: new Date(now),
    }).catch(translate);
    const { exp = 0, iat = 0 } = claims;
    if (exp * 1000 <= now) throw refused('it has expired');
    if (iat * 1000 > now + TOLERANCE_SECONDS * 1000) throw refused('it was issued in the future');
    return callerOfToken(claims);
  };
}

function keysOf({ keys }: TokenSettings): JWTVerifyGetKey {
  if (typeof keys === 'string') {
    return createRemoteJWKSet(new URL(keys), { cacheMaxAge: KEYS_REMEMBERED_MS });
  }
  const known = createLocalJWKSet({ keys: [...keys] });
  // A PEM file has no name for its key, so a token's name for it is not looked at.
  return ({ kid, ...header }, token) => known(header, token);
}

async function verify(token: string, keys: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, keys, options)).payload;
  } catch (error) {
    // Several keys while they are changed, and a token that names none of them: each is tried.
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (another) {
        if (!(another instanceof errors.JWSSignatureVerificationFailed)) throw another;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

const NOT_OURS = [
  errors.JWSInvalid,
  errors.JWTInvalid,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSNoMatchingKey,
  errors.JWSSignatureVerificationFailed,
];

/** Claims are looked at after the signature, so only a bearer of the issuer's learns what is wrong with them. */
function translate(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw refused('it has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    throw refused(`its "${error.claim}" is not what is asked for`);
  }
  if (NOT_OURS.some((kind) => error instanceof kind)) {
    throw refused('its issuer, algorithm or key is not the one that is trusted here');
  }
  // The issuer's keys cannot be had, which is no fault of the client.
  throw error;
}

const refused = (why: string) =>
  new Fault('wrong_credentials', `unauthorized: the token is not taken: ${why}`);
