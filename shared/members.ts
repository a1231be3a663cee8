import { accessChange } from './access-change.ts';
import { accountNotFound, changeAccount } from './accounts.ts';
import { type Grant, MOST_GRANTS, type Role, roleIn } from './domain/access.ts';
import type { Account, AccountName } from './domain/account.ts';
import type { By } from './domain/audit.ts';
import { Fault } from './domain/fault.ts';
import { numberOf } from './domain/project.ts';
import type { Repository } from './domain/repository.ts';
import type { KnownRepositoryDependencies } from './known-repositories.ts';
import type { AccountStore } from './store/account-store.ts';

export type MemberDependencies = Pick<KnownRepositoryDependencies, 'clock' | 'newId'> & {
  readonly accounts: Pick<AccountStore, 'all' | 'get' | 'put'>;
};

/** Somebody who has a role in a project by a grant on it alone; who has one everywhere is no member. */
export type Member = { readonly name: AccountName; readonly role: Role };

type Members = { readonly accounts: Pick<AccountStore, 'all'> };

/** The members of a project, by name. */
export async function* membersOf({ accounts }: Members, project: Repository): AsyncGenerator<Member> {
  for await (const account of accounts.all()) {
    const role = roleOf(account, project);
    if (role !== undefined) yield { name: account.name, role };
  }
}

/** @throws Fault `not_found` */
export async function memberNumbered(
  dependencies: Members,
  project: Repository,
  number: number,
): Promise<Member> {
  const found: Member[] = [];
  for await (const member of membersOf(dependencies, project)) {
    if (numberOf(member.name) === number) found.push(member);
  }
  const [member] = found;
  if (member === undefined || found.length > 1) throw noMember(number, project);
  return member;
}

const noMember = (who: number | AccountName, project: Repository) =>
  new Fault('not_found', `project ${project} has no member ${who}`);

/**
 * The account with a number.
 *
 * @throws Fault `not_found`, also where two have it
 */
export async function accountNumbered({ accounts }: Members, number: number): Promise<AccountName> {
  const found: AccountName[] = [];
  for await (const { name } of accounts.all()) if (numberOf(name) === number) found.push(name);
  const [name] = found;
  if (name !== undefined && found.length === 1) return name;
  throw new Fault('not_found', `there is no account with the number ${number}: send its "username"`);
}

/**
 * Gives an account a role in a project.
 *
 * @throws Fault `not_found` where there is no such account, `already_exists` for a member, `invalid_request` for
 *   an account that has as many grants as it can have, `try_again`
 */
export async function addMember(
  dependencies: MemberDependencies,
  project: Repository,
  { name, role }: Member,
  by: By,
): Promise<void> {
  await changeGrants(dependencies, project, name, by, (account) => {
    if (roleOf(account, project) !== undefined) {
      throw new Fault(
        'already_exists',
        `${name} is a member of project ${project} already: PUT changes the role`,
      );
    }
    if (account.grants.length >= MOST_GRANTS) {
      throw new Fault(
        'invalid_request',
        `${name} has ${account.grants.length} grants, the most there can be: take one away, or give one on a pattern`,
      );
    }
    return [...account.grants, { role, on: project }];
  });
}

/**
 * Gives a member another role.
 *
 * @param stays a role that a member keeps who has it
 * @throws Fault `not_found`, `try_again`
 */
export async function changeMember(
  dependencies: MemberDependencies,
  project: Repository,
  { name, role, stays }: Member & { readonly stays: Role | undefined },
  by: By,
): Promise<void> {
  await changeGrants(dependencies, project, name, by, (account) => {
    const before = roleOf(account, project);
    if (before === undefined) throw noMember(name, project);
    if (before === role || before === stays) return account.grants;
    return [...withoutProject(account, project), { role, on: project }];
  });
}

/**
 * Takes the role in a project away from a member.
 *
 * @throws Fault `not_found`, `try_again`
 */
export async function removeMember(
  dependencies: MemberDependencies,
  project: Repository,
  name: AccountName,
  by: By,
): Promise<void> {
  await changeGrants(dependencies, project, name, by, (account) => {
    if (roleOf(account, project) === undefined) throw noMember(name, project);
    return withoutProject(account, project);
  });
}

/** Takes the role in a project away from everybody, from who asks for it last: until then they may bring it back. */
export async function removeMembers(
  dependencies: MemberDependencies,
  project: Repository,
  by: By,
): Promise<void> {
  const names: AccountName[] = [];
  for await (const { name } of membersOf(dependencies, project)) names.push(name);
  const isOthers = (name: AccountName) => name !== by.account;
  for (const name of [...names.filter(isOthers), ...names.filter((each) => !isOthers(each))]) {
    try {
      await removeMember(dependencies, project, name, by);
    } catch (error) {
      // Somebody else took it away meanwhile, or the account as a whole.
      if (!(error instanceof Fault) || error.code !== 'not_found') throw error;
    }
  }
}

const isOn = (project: Repository) => (grant: Grant) => grant.on === project;

const roleOf = ({ grants }: Account, project: Repository) =>
  roleIn({ grants: grants.filter(isOn(project)) }, project);

const withoutProject = ({ grants }: Account, project: Repository) =>
  grants.filter((grant) => !isOn(project)(grant));

/**
 * @param next gives the grants as they were where nothing is to be changed
 * @throws Fault `not_found` where there is no such account
 */
async function changeGrants(
  dependencies: MemberDependencies,
  project: Repository,
  name: AccountName,
  by: By,
  next: (account: Account) => readonly Grant[],
): Promise<void> {
  const tell = ({ kind, grants }: Account, before: Account | undefined) =>
    accessChange(dependencies, by, {
      action: 'account_changed',
      target: name,
      repository: project,
      detail: { kind, grants, ...(before && { grantsBefore: before.grants }) },
    });
  await changeAccount(dependencies, name, tell, (before) => {
    if (before === undefined) throw accountNotFound(name);
    const grants = next(before);
    return grants === before.grants ? before : { ...before, grants, revision: dependencies.newId() };
  });
}
