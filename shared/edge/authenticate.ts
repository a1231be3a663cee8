import type { AuthenticateAccount, Credentials } from '../account-credentials.ts';
import type { Caller } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import type { Request } from './request.ts';

/**
 * Says who sent a request; undefined for somebody who does not say.
 *
 * @throws Fault `wrong_credentials`, `unauthorized` for what is no name and password, `too_many_failures` for who was wrong too often
 */
export type Authenticate = (request: Pick<Request, 'headers' | 'address'>) => Promise<Caller | undefined>;

/** HTTP Basic, which is all that Helm sends, against the accounts. */
export function basicAuthentication(authenticateAccount: AuthenticateAccount): Authenticate {
  return async ({ headers: { authorization = '' }, address }) => {
    if (authorization === '') return undefined;
    const given = parseBasic(authorization);
    if (given === undefined) throw notSaid();
    const caller = await authenticateAccount(given, address);
    if (caller !== undefined) return caller;
    throw new Fault('wrong_credentials', 'unauthorized: wrong user name or password');
  };
}

/** What is told to who does not say who they are. */
export const NOT_SAID = 'unauthorized: send a user name and password by HTTP Basic';

export const notSaid = () => new Fault('unauthorized', NOT_SAID);

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
