import { randomBytes } from 'node:crypto';
import { accessChange, type ChangeDependencies } from './access-change.ts';
import { secretDigest } from './account-credentials.ts';
import { changeRevised } from './change-revised.ts';
import type { Clock } from './clock.ts';
import { EVERYWHERE } from './domain/access.ts';
import {
  type Account,
  type AccountName,
  type AccountWish,
  adminName,
  type Robot,
  type RobotSecret,
} from './domain/account.ts';
import type { AccessChange, By } from './domain/audit.ts';
import { canaryAccount } from './domain/canary.ts';
import { Fault } from './domain/fault.ts';
import type { AccountStore } from './store/account-store.ts';

export type AccountDependencies = {
  readonly accounts: Pick<AccountStore, 'get' | 'put'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: () => string;
  readonly hashPassword: (password: string) => Promise<string>;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const SECRET_BYTES = 32;

// Two are enough to rotate; some more for who gives each job one of its own.
const MOST_SECRETS = 10;

/** An account as it may be shown: nothing that a password or secret could be found by. */
export function shownAccount(account: Account): object {
  const { name, kind, grants, created } = account;
  const secrets = account.kind === 'robot' ? account.secrets.map(({ digest, ...shown }) => shown) : undefined;
  return { name, kind, grants, created, ...(secrets && { secrets }) };
}

export function accountNotFound(name: AccountName): Fault {
  return new Fault('not_found', `there is no account ${name}: PUT /-/accounts/${name} makes it`);
}

/**
 * Makes an account, or changes its grants and password.
 *
 * @throws Fault `invalid_request` for a new user without a password or with a robot's name, for another kind than it
 *   is of, and for an admin who would not be one any more; `try_again`
 */
export async function putAccount(
  dependencies: AccountDependencies,
  name: AccountName,
  wish: AccountWish,
  by: By,
): Promise<{ readonly account: Account; readonly isNew: boolean }> {
  const { clock, newId, hashPassword } = dependencies;
  const password = wish.kind === 'user' ? wish.password : undefined;
  // Looked at first: a hash takes long, and what is refused needs none.
  checkFits(name, wish, await dependencies.accounts.get(name));
  const passwordHash = password === undefined ? undefined : await hashPassword(password);
  const tell = (account: Account, before: Account | undefined) =>
    accessChange(dependencies, by, {
      action: before === undefined ? 'account_created' : 'account_changed',
      target: name,
      detail: {
        kind: account.kind,
        grants: account.grants,
        ...(before && { grantsBefore: before.grants }),
        ...(password !== undefined && { password: 'set' }),
      },
    });
  return await changeAccount(dependencies, name, tell, (before) => {
    checkFits(name, wish, before);
    const created = before?.created ?? new Date(clock.now()).toISOString();
    const common = { name, created, grants: wish.grants, revision: newId() };
    if (wish.kind === 'robot') {
      return { ...common, kind: 'robot', secrets: before?.kind === 'robot' ? before.secrets : [] };
    }
    const hash = passwordHash ?? (before?.kind === 'user' ? before.passwordHash : undefined);
    if (hash === undefined) throw noPassword(name);
    return { ...common, kind: 'user', passwordHash: hash };
  });
}

/**
 * Removes an account with its secrets.
 *
 * @throws Fault `not_found`; `invalid_request` for the one that a deployment begins with
 */
export async function deleteAccount(
  dependencies: ChangeDependencies & { readonly accounts: Pick<AccountStore, 'remove'> },
  name: AccountName,
  by: By,
): Promise<void> {
  if (name === adminName) {
    throw new Fault(
      'invalid_request',
      `${name} cannot be deleted, so that somebody can always let others in: PUT gives it a password that nobody uses`,
    );
  }
  mustNotBeCanary(name);
  const told = accessChange(dependencies, by, { action: 'account_deleted', target: name });
  if (!(await dependencies.accounts.remove(name, told))) throw accountNotFound(name);
}

/** By name, and not by counting who else is admin: a count is no longer true when the change is written. */
function mustStayAdmin({ kind, grants }: AccountWish): void {
  if (kind === 'user' && grants.some(({ role, on }) => role === 'admin' && on === EVERYWHERE)) return;
  throw new Fault(
    'invalid_request',
    `${adminName} stays a user with the role admin on "*", so that somebody can always let others in: send "kind": "user", "grants": [{"role": "admin", "on": "*"}]`,
  );
}

function checkFits(name: AccountName, wish: AccountWish, before: Account | undefined): void {
  mustNotBeCanary(name);
  if (wish.kind === 'user' && name.includes('+')) {
    throw new Fault('invalid_request', `${name} can only name a robot: leave out the "+" for a user`);
  }
  if (name === adminName) mustStayAdmin(wish);
  if (before !== undefined && before.kind !== wish.kind) {
    throw new Fault('invalid_request', `${name} is a ${before.kind}: delete it first, or take another name`);
  }
  if (before === undefined && wish.kind === 'user' && wish.password === undefined) throw noPassword(name);
}

function mustNotBeCanary(name: AccountName): void {
  if (name !== canaryAccount) return;
  throw new Fault(
    'invalid_request',
    `${name} is the account of the canary, which alone changes it: take another name; with the setting canaryMinutes=0 there is no canary`,
  );
}

const noPassword = (name: AccountName) =>
  new Fault('invalid_request', `${name} is a new user: send a "password" with it`);

/**
 * Changes an account, and tells the audit of it.
 *
 * @throws Fault `try_again`, `invalid_request` for the canary's, and what `next` throws
 */
export async function changeAccount(
  { accounts }: Pick<AccountDependencies, 'accounts'>,
  name: AccountName,
  tell: (account: Account, before: Account | undefined) => AccessChange,
  next: (before: Account | undefined) => Account,
): Promise<{ readonly account: Account; readonly isNew: boolean }> {
  mustNotBeCanary(name);
  const place = {
    read: () => accounts.get(name),
    write: (account: Account, before: Account | undefined) =>
      accounts.put(account, before?.revision, tell(account, before)),
  };
  const { value: account, isNew } = await changeRevised(name, place, next);
  return { account, isNew };
}

/**
 * Makes a secret for a robot; what has expired goes.
 *
 * @returns the secret itself, which is kept nowhere
 * @throws Fault `not_found`; `invalid_request` for a user, and above the number of secrets; `try_again`
 */
export async function createSecret(
  dependencies: Omit<AccountDependencies, 'hashPassword'>,
  name: AccountName,
  days: number,
  by: By,
): Promise<{ readonly id: string; readonly secret: string; readonly expires: string }> {
  const { clock, newId } = dependencies;
  const now = clock.now();
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const made: RobotSecret = {
    id: newId(),
    digest: secretDigest(secret).toString('hex'),
    created: new Date(now).toISOString(),
    expires: new Date(now + days * DAY_MS).toISOString(),
  };
  const detail = { secret: made.id, expires: made.expires };
  const tell = () => accessChange(dependencies, by, { action: 'secret_created', target: name, detail });
  await changeAccount(dependencies, name, tell, (before) => {
    const robot = mustBeRobot(name, before);
    const kept = robot.secrets.filter(({ expires }) => now < Date.parse(expires));
    if (kept.length >= MOST_SECRETS) {
      throw new Fault(
        'invalid_request',
        `${name} has ${kept.length} secrets, the most there can be: delete one`,
      );
    }
    return { ...robot, secrets: [...kept, made], revision: newId() };
  });
  return { id: made.id, secret, expires: made.expires };
}

/** @throws Fault `not_found`; `invalid_request` for a user; `try_again` */
export async function deleteSecret(
  dependencies: Omit<AccountDependencies, 'hashPassword'>,
  name: AccountName,
  id: string,
  by: By,
): Promise<void> {
  const tell = () =>
    accessChange(dependencies, by, { action: 'secret_deleted', target: name, detail: { secret: id } });
  await changeAccount(dependencies, name, tell, (before) => {
    const robot = mustBeRobot(name, before);
    const secrets = robot.secrets.filter((secret) => secret.id !== id);
    if (secrets.length === robot.secrets.length) {
      throw new Fault('not_found', `${name} has no secret ${id.slice(0, 80)}: GET tells which it has`);
    }
    return { ...robot, secrets, revision: dependencies.newId() };
  });
}

function mustBeRobot(name: AccountName, account: Account | undefined): Robot {
  if (account === undefined) throw accountNotFound(name);
  if (account.kind === 'robot') return account;
  throw new Fault('invalid_request', `${name} is a user, who has a password: only robots have secrets`);
}
