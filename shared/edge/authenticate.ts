import { createHash, timingSafeEqual } from 'node:crypto';
import type { AuthenticateAccount } from '../account-credentials.ts';
import type { Clock } from '../clock.ts';
import { adminAccount } from '../contract.ts';
import { type Caller, EVERYWHERE } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import type { AdminSecret, Credentials } from '../store/admin-secret.ts';
import type { Request } from './request.ts';

/**
 * Says who sent a request; undefined for somebody who does not say.
 *
 * @throws Fault `unauthorized` for what is not right
 */
export type Authenticate = (request: Pick<Request, 'headers'>) => Promise<Caller | undefined>;

// A changed password is refused this long at most, in an execution environment that knew the old one.
const REMEMBERED_MS = 5 * 60_000;

// A wrong password may be the new one. Guessing it must not turn into calls of Secrets Manager.
const REREAD_AT_MOST_EVERY_MS = 10_000;

const admin: Caller = {
  name: adminAccount,
  kind: 'admin',
  grants: [{ role: 'admin', on: EVERYWHERE }],
};

/** HTTP Basic, which is all that Helm sends, against the admin of the secret and the accounts. */
export function basicAuthentication(
  secret: AdminSecret,
  authenticateAccount: AuthenticateAccount,
  clock: Clock,
): Authenticate {
  const remembered = rememberCredentials(secret, clock);

  const isAdmin = async (given: Credentials) => {
    if (isSame(given, await remembered.read())) return true;
    const newer = await remembered.reread();
    return newer !== undefined && isSame(given, newer);
  };

  return async ({ headers: { authorization = '' } }) => {
    if (authorization === '') return undefined;
    const given = parseBasic(authorization);
    if (given === undefined) throw notSaid();
    // Nobody else can have this name, so the secret is not read for the others.
    const isAdminsName = given.username === adminAccount;
    const caller = isAdminsName ? (await isAdmin(given)) && admin : await authenticateAccount(given);
    if (caller) return caller;
    throw new Fault('unauthorized', 'unauthorized: wrong user name or password');
  };
}

export const notSaid = () =>
  new Fault('unauthorized', 'unauthorized: send a user name and password by HTTP Basic');

/**
 * Reads `Basic <base64 of user:password>`; the scheme's word in any case (RFC 9110, 11.1).
 *
 * @returns undefined for everything else
 */
export function parseBasic(header: string): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header)?.[1];
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
