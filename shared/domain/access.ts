import type { RepositoryPermission } from '../routes.ts';
import { Fault } from './fault.ts';
import { parseRepository, type Repository } from './repository.ts';

/** From the one that may least to the one that may most; each may what those before it may. */
const roles = ['reader', 'publisher', 'maintainer', 'admin'] as const;

export type Role = (typeof roles)[number];

const leastRole: Readonly<Record<RepositoryPermission, Role>> = {
  read: 'reader',
  publish: 'publisher',
  maintain: 'maintainer',
  administer: 'admin',
};

/**
 * A role on a repository (its path, the empty text for the root), on everything below a path (`org/*`, which
 * is not `org` itself), or on everything (`*`).
 */
export type Grant = { readonly role: Role; readonly on: string };

/** What a permission is asked on that no single repository has: accounts, and whatever else is everybody's. */
export const EVERYWHERE = '*';

/** Who sends a request, and what they may do. */
export type Caller = {
  /** Left out for somebody who did not say who they are. */
  readonly name?: string;
  /** `token`: the bearer of one, who has no account. */
  readonly kind: 'user' | 'robot' | 'token' | 'anyone';
  readonly grants: readonly Grant[];
};

/** Whether somebody has a permission on a repository, or {@link EVERYWHERE}. */
export function may(
  { grants }: Pick<Caller, 'grants'>,
  permission: RepositoryPermission,
  on: Repository | typeof EVERYWHERE,
): boolean {
  const least = roles.indexOf(leastRole[permission]);
  return grants.some((grant) => roles.indexOf(grant.role) >= least && covers(grant.on, on));
}

/** The role that allows the most of those that somebody has in a repository. */
export function roleIn({ grants }: Pick<Caller, 'grants'>, repository: Repository): Role | undefined {
  return roles.findLast((role) =>
    grants.some((grant) => grant.role === role && covers(grant.on, repository)),
  );
}

function covers(pattern: string, on: string): boolean {
  if (pattern === EVERYWHERE) return true;
  // With the slash, so that `org/*` is not on `organisation`.
  if (pattern.endsWith('/*')) return on.startsWith(pattern.slice(0, -1));
  return pattern === on;
}

/** The least role that has a permission. */
export const roleFor = (permission: RepositoryPermission): Role => leastRole[permission];

// An account is one item; DynamoDB takes 400 KB, and a page of accounts must fit in an answer.
export const MOST_GRANTS = 50;

/** @throws Fault `invalid_request` that says what a grant looks like */
export function parseGrants(value: unknown): readonly Grant[] {
  if (!Array.isArray(value) || value.length > MOST_GRANTS) {
    throw new Fault(
      'invalid_request',
      `"grants" must be a list of at most ${MOST_GRANTS}, such as [{"role": "publisher", "on": "org/*"}]`,
    );
  }
  return value.map(parseGrant);
}

function parseGrant(value: unknown): Grant {
  const { role, on, ...others }: Record<string, unknown> = Object(value);
  const known = roles.find((each) => each === role);
  if (known === undefined || typeof on !== 'string' || Object.keys(others).length > 0) {
    throw new Fault(
      'invalid_request',
      `a grant has "role" (${roles.join(', ')}) and "on" (a repository, "" for the root, "org/*" or "*"), and nothing else`,
    );
  }
  return { role: known, on: parsePattern(on) };
}

function parsePattern(on: string): string {
  if (on === EVERYWHERE || on === '') return on;
  parseRepository(on.replace(/\/\*$/, '').split('/'));
  return on;
}
