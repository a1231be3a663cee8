import { adminAccount } from '../contract.ts';
import { type Grant, parseGrants } from './access.ts';
import type { Branded } from './branded.ts';
import { Fault } from './fault.ts';

/** An account's name: 1 to 64 of `a-z0-9._-`, and `+` for robots, a letter or digit first. */
export type AccountName = Branded<'AccountName'>;

// Without '#' and ':': it stands in a sort key, and before the colon of HTTP Basic. Without '$': robot$ci is ci.
const NAME = /^[a-z0-9][a-z0-9._+-]{0,63}$/;

// As whom the audit tells of who has no account.
const OWN = new Set(['anyone', 'bucket', 'chartroom']);

// These are ends of other routes of that length, and would give a URL two readings.
const RESERVED = new Set(['index.yaml', 'artifacthub-repo.yml']);

/** Whether only the deployment itself is told of by this name. */
export const isDeploymentsOwn = (name: string): boolean => OWN.has(name);

export function isAccountName(text: string): text is AccountName {
  return NAME.test(text) && !OWN.has(text) && !RESERVED.has(text);
}

/**
 * What a query means by a text where an account is to be named: a `+` that the client did not encode has become a
 * blank, which no account's name holds.
 */
export function withPlus(text: string): string {
  const name = text.replaceAll(' ', '+');
  return isAccountName(name) ? name : text;
}

/** @throws Fault `invalid_request` */
export function parseAccountName(text: string): AccountName {
  if (isAccountName(text)) return text;
  if (OWN.has(text)) {
    throw new Fault('invalid_request', `"${text}" is a name of the deployment itself: take another one`);
  }
  throw new Fault(
    'invalid_request',
    `"${text.slice(0, 80)}" cannot name an account: use a-z, 0-9, ".", "_" and "-", for a robot "+" too, at most 64, beginning with a letter or digit`,
  );
}

/** The account that a closed deployment begins with. */
export const adminName = parseAccountName(adminAccount);

type AnyAccount = {
  readonly name: AccountName;
  /** RFC 3339 in UTC. */
  readonly created: string;
  readonly grants: readonly Grant[];
  /** Another one after each change. */
  readonly revision: string;
};

/** A person. */
export type User = AnyAccount & {
  readonly kind: 'user';
  /** What shared/password.ts makes of the password. */
  readonly passwordHash: string;
};

/** A program, such as a CI job. */
export type Robot = AnyAccount & {
  readonly kind: 'robot';
  /** Several at once, so that a new one is in use before an old one ends. */
  readonly secrets: readonly RobotSecret[];
};

export type Account = User | Robot;

export type RobotSecret = {
  readonly id: string;
  /** SHA-256 in hex: enough for what is random, and cheap at every request. */
  readonly digest: string;
  /** RFC 3339 in UTC, as the next two. */
  readonly created: string;
  readonly expires: string;
  /** To the hour; not there before the first use. */
  readonly lastUsed?: string;
};

/** What an account is to be; a user that is there keeps the password if none is given. */
export type AccountWish =
  | { readonly kind: 'user'; readonly grants: readonly Grant[]; readonly password: string | undefined }
  | { readonly kind: 'robot'; readonly grants: readonly Grant[] };

const LEAST_PASSWORD_CHARACTERS = 12;
const MOST_PASSWORD_BYTES = 256;

/**
 * Reads what an account is to be, from JSON.
 *
 * @throws Fault `invalid_request`
 */
export function parseAccountWish(value: unknown): AccountWish {
  const { kind, grants = [], password, ...others }: Record<string, unknown> = Object(value);
  const [other] = Object.keys(others);
  if (other !== undefined) {
    throw new Fault('invalid_request', `an account has "kind", "grants" and "password", and no "${other}"`);
  }
  if (kind === 'user') return { kind, grants: parseGrants(grants), password: parsePassword(password) };
  if (kind !== 'robot') throw new Fault('invalid_request', '"kind" must be "user" or "robot"');
  if (password !== undefined) {
    throw new Fault('invalid_request', 'a robot has no password: POST …/secrets makes a secret for it');
  }
  return { kind, grants: parseGrants(grants) };
}

function parsePassword(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (
    typeof value === 'string' &&
    [...value].length >= LEAST_PASSWORD_CHARACTERS &&
    Buffer.byteLength(value) <= MOST_PASSWORD_BYTES
  ) {
    return value;
  }
  throw new Fault(
    'invalid_request',
    `"password" must be a text of at least ${LEAST_PASSWORD_CHARACTERS} characters and at most ${MOST_PASSWORD_BYTES} bytes`,
  );
}

const MOST_DAYS = 365;

/**
 * Reads for how long a secret is to live, from JSON.
 *
 * @returns days
 * @throws Fault `invalid_request`
 */
export function parseSecretWish(value: unknown): number {
  const { expiresInDays: days, ...others }: Record<string, unknown> = Object(value);
  const isDays = typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= MOST_DAYS;
  if (isDays && Object.keys(others).length === 0) return days;
  throw new Fault(
    'invalid_request',
    `say when the secret ends, in 1 to ${MOST_DAYS} days, as {"expiresInDays": 90}, and nothing else`,
  );
}
