import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from './clock.ts';
import type { Caller } from './domain/access.ts';
import {
  type Account,
  type AccountName,
  isAccountName,
  type Robot,
  type RobotSecret,
} from './domain/account.ts';
import { canaryAccount } from './domain/canary.ts';
import type { FailureLimit } from './failure-limit.ts';
import type { VerifyPassword } from './password.ts';
import type { AccountStore } from './store/account-store.ts';

/** Name and password as they come with a request. */
export type Credentials = { readonly username: string; readonly password: string };

/**
 * @param address that the request came from
 * @returns undefined for a name or password that is wrong, which nothing tells apart
 * @throws Fault `too_many_failures`, for right ones too
 */
export type AuthenticateAccount = (given: Credentials, address: string) => Promise<Caller | undefined>;

export type CredentialDependencies = {
  readonly accounts: Pick<AccountStore, 'get' | 'used'>;
  readonly verifyPassword: VerifyPassword;
  readonly limit: FailureLimit;
  readonly clock: Pick<Clock, 'now'>;
  /** Told of an account that is there and whose password or secret was another; never of any other name, which may be a password. */
  readonly wasWrong: (name: AccountName) => void;
  /** Told of a use that could not be noted, which is no reason to refuse. */
  readonly report: (message: string, error: unknown) => void | Promise<void>;
};

// What was taken away from an account is honoured this long at most, in an execution environment that knew it.
const REMEMBERED_MS = 60_000;

// Some hundred bytes each.
const MOST_REMEMBERED = 1_000;

// What Harbor's clients put before the name of a robot; no account's own name can begin so.
const ROBOT_PREFIX = 'robot$';

const NOTED_EVERY_MS = 60 * 60_000;

type Verified = {
  readonly caller: Caller;
  /** When it is to be looked at anew, in milliseconds since 1970. */
  readonly until: number;
};

/**
 * Checks the names and passwords of accounts, `robot$ci` being the robot `ci` and nobody else's name; what was right is remembered
 * for a minute, and never as it is.
 */
export function accountAuthentication(dependencies: CredentialDependencies): AuthenticateAccount {
  const { clock, limit } = dependencies;
  const key = randomBytes(32);
  const remembered = new Map<string, Verified>();

  return async (given, address) => {
    const token = createHmac('sha256', key).update(JSON.stringify(given)).digest('base64');
    const known = remembered.get(token);
    if (known !== undefined && clock.now() < known.until) return known.caller;
    const named = readUsername(given.username);
    // Before any hash: what is refused costs one read. Under the account's own name: two names are not twice the guesses.
    await limit.check(named.name, address);
    const verified = await verify(dependencies, named, given.password);
    if (verified === undefined) {
      await limit.failed(named.name, address);
      return undefined;
    }
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(token, verified);
    return verified.caller;
  };
}

type Named = { readonly name: string; readonly mustBeRobot: boolean };

function readUsername(username: string): Named {
  const mustBeRobot = username.startsWith(ROBOT_PREFIX);
  return { name: mustBeRobot ? username.slice(ROBOT_PREFIX.length) : username, mustBeRobot };
}

async function verify(
  dependencies: CredentialDependencies,
  { name, mustBeRobot }: Named,
  password: string,
): Promise<Verified | undefined> {
  const { accounts, verifyPassword, clock, wasWrong } = dependencies;
  const found = isAccountName(name) ? await accounts.get(name) : undefined;
  const account = mustBeRobot && found?.kind !== 'robot' ? undefined : found;
  const until = clock.now() + REMEMBERED_MS;
  if (account?.kind === 'robot') {
    const secret = secretOf(account, password, clock.now());
    if (secret !== undefined) {
      await noteUse(dependencies, account, secret);
      return { caller: callerOf(account), until: Math.min(until, Date.parse(secret.expires)) };
    }
  }
  // Whoever is refused waits as long, whether there is no such account, or it is a robot's.
  const hash = account?.kind === 'user' ? account.passwordHash : undefined;
  if ((await verifyPassword(password, hash)) && account !== undefined) {
    return { caller: callerOf(account), until };
  }
  if (account !== undefined) wasWrong(account.name);
  return undefined;
}

const callerOf = ({ name, kind, grants }: Account): Caller => ({ name, kind, grants });

/** What is kept of a robot's secret: it is random, so that nobody finds it by trying. */
export const secretDigest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

function secretOf({ secrets }: Robot, given: string, now: number): RobotSecret | undefined {
  const digest = secretDigest(given);
  const same = secrets.filter((secret) => timingSafeEqual(digest, Buffer.from(secret.digest, 'hex')));
  return same.find(({ expires }) => now < Date.parse(expires));
}

async function noteUse(
  { accounts, clock, report }: CredentialDependencies,
  { name }: Robot,
  { id, lastUsed }: RobotSecret,
): Promise<void> {
  // It makes a secret for each run: nobody asks when it was used.
  if (name === canaryAccount) return;
  const now = clock.now();
  if (lastUsed !== undefined && now - Date.parse(lastUsed) < NOTED_EVERY_MS) return;
  try {
    await accounts.used(name, id, new Date(now).toISOString());
  } catch (error) {
    await report('the use of a secret could not be noted', error);
  }
}
