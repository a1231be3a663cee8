import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { Fault } from '../domain/fault.ts';
import type { AdminSecret, Credentials } from '../store/admin-secret.ts';
import type { Request } from './request.ts';

/** Lets a request pass, or throws Fault `unauthorized`. */
export type Authenticate = (request: Pick<Request, 'headers'>) => Promise<void>;

// A changed password is refused this long at most, in an execution environment that knew the old one.
const REMEMBERED_MS = 5 * 60_000;

// A wrong password may be the new one. Guessing it must not turn into calls of Secrets Manager.
const REREAD_AT_MOST_EVERY_MS = 10_000;

/**
 * HTTP Basic, which is all that Helm sends, against the one account of the secret. The account may do
 * everything, so one check serves every permission.
 */
export function basicAuthentication(secret: AdminSecret, clock: Clock): Authenticate {
  const remembered = rememberCredentials(secret, clock);
  return async ({ headers }) => {
    const given = parseBasic(headers['authorization']);
    if (given === undefined) {
      throw new Fault('unauthorized', 'unauthorized: send a user name and password by HTTP Basic');
    }
    if (isSame(given, await remembered.read())) return;
    const newer = await remembered.reread();
    if (newer !== undefined && isSame(given, newer)) return;
    throw new Fault('unauthorized', 'unauthorized: wrong user name or password');
  };
}

/**
 * Reads `Basic <base64 of user:password>`; the scheme's word in any case (RFC 9110, 11.1).
 *
 * @returns undefined for everything else
 */
function parseBasic(header: string | undefined): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  // Only a password may hold a colon (RFC 7617, 2).
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** In constant time: digests are of equal length, and both parts are compared whatever the first says. */
function isSame(given: Credentials, known: Credentials): boolean {
  const username = timingSafeEqual(sha256(given.username), sha256(known.username));
  const password = timingSafeEqual(sha256(given.password), sha256(known.password));
  return username && password;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest();

function rememberCredentials(secret: AdminSecret, clock: Clock) {
  let known: { readonly credentials: Credentials; readonly readAt: number } | undefined;

  const load = async () => {
    const readAt = clock.now();
    const credentials = await secret.read();
    known = { credentials, readAt };
    return credentials;
  };
  const age = () => (known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.readAt);

  return {
    read: async () => (known !== undefined && age() < REMEMBERED_MS ? known.credentials : load()),
    /** @returns undefined if they were read a moment ago */
    reread: async () => (age() < REREAD_AT_MOST_EVERY_MS ? undefined : load()),
  };
}
