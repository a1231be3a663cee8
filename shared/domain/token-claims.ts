import type { RepositoryPermission } from '../routes.ts';
import type { Caller, Grant, Role } from './access.ts';
import { isDeploymentsOwn } from './account.ts';
import { Fault } from './fault.ts';
import { asRepository, type Repository } from './repository.ts';

// ChartMuseum's words, in its tokens and in its challenge.
const TYPE = 'artifact-repository';
const ROOT = 'repo';

// A name is shown in messages and kept beside what its bearer did.
const MOST_NAME_CHARACTERS = 128;

/**
 * What the claims of a verified token let its bearer do, as ChartMuseum reads `access`: a list of
 * `{type: "artifact-repository", name: "org/team", actions: ["pull", "push"]}`. What is no such entry gives
 * nothing; a name is one repository's path, never a pattern.
 *
 * @throws Fault `wrong_credentials` for a token without a list `access`, or that does not say whose it is
 */
export function callerOfToken({ sub, access }: Readonly<Record<string, unknown>>): Caller {
  if (typeof sub !== 'string' || sub === '') throw lacks('sub');
  if (!Array.isArray(access)) throw lacks('access');
  if (isDeploymentsOwn(sub)) {
    throw new Fault('wrong_credentials', `unauthorized: "${sub}" is a name of the deployment itself`);
  }
  return { name: shownName(sub), kind: 'token', grants: access.flatMap(grantOf) };
}

const lacks = (claim: string) =>
  new Fault('wrong_credentials', `unauthorized: the token has no "${claim}" that can be used`);

/** Nothing that a terminal or a log would obey, or show in another order than it stands. */
function shownName(sub: string): string {
  const characters = [...sub.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{FFFD}')];
  return characters.slice(0, MOST_NAME_CHARACTERS).join('');
}

function grantOf(entry: unknown): Grant[] {
  const { type, name, actions }: Record<string, unknown> = Object(entry);
  if (type !== TYPE || typeof name !== 'string' || !Array.isArray(actions)) return [];
  const role = roleOf(actions);
  const on = asRepository(name === ROOT ? [] : name.split('/'));
  return role === undefined || on === undefined ? [] : [{ role, on }];
}

/** Whoever may push may pull. A role that deletes may publish too, so `delete` by itself gives nothing. */
function roleOf(actions: readonly unknown[]): Role | undefined {
  if (actions.includes('push')) return actions.includes('delete') ? 'maintainer' : 'publisher';
  return actions.includes('pull') ? 'reader' : undefined;
}

const actionsFor: Partial<Record<RepositoryPermission, string>> = {
  read: 'pull',
  publish: 'push',
  maintain: 'push,delete',
};

/**
 * What a token would have to name in `access`, as a challenge says it.
 *
 * @returns undefined for what no token gives
 */
export function tokenScope(permission: RepositoryPermission, repository: Repository): string | undefined {
  const actions = actionsFor[permission];
  if (actions === undefined || repository === ROOT) return undefined;
  return `${TYPE}:${repository || ROOT}:${actions}`;
}
