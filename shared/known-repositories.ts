import { accessChange } from './access-change.ts';
import { changeRevised } from './change-revised.ts';
import type { Clock } from './clock.ts';
import type { AccessChange, By } from './domain/audit.ts';
import { Fault } from './domain/fault.ts';
import {
  type DeletedRepository,
  isDeleted,
  isGoing,
  type KnownRepository,
  restorableUntil,
} from './domain/known-repository.ts';
import { isProjectName } from './domain/project.ts';
import type { Repository } from './domain/repository.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';

export type KnownRepositoryDependencies = {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get' | 'put'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: () => string;
};

/** What a deployment says of repositories that nobody made. */
export type RepositoryRules = {
  /** `open`: every repository is there, with nothing in it. */
  readonly access: 'open' | 'closed';
  /** Whether publishing makes one; with open access it always does. */
  readonly createOnPublish: boolean;
};

/** That somebody may publish to a repository, as far as it is there or may be made. */
export type Admission = {
  /** When the repository was made that they may publish to; undefined for the root one, and where it is not there yet. */
  readonly created: string | undefined;
  /**
   * Makes the repository where it is not there yet: called before anything is stored in it.
   *
   * @throws Fault if it was deleted meanwhile
   */
  readonly make: () => Promise<void>;
};

/** Whether repositories are there. Each question is one strong read at most, so what was deleted is so at once. */
export type RepositoryGate = {
  isThere(path: Repository): Promise<boolean>;
  /** @throws Fault `repository_not_found` */
  mustBeThere(path: Repository): Promise<void>;
  /**
   * @param by who publishes
   * @throws Fault `repository_not_found`; with open access `repository_deleted`
   */
  admission(path: Repository, by: By): Promise<Admission>;
  /** Whether it was deleted and cannot come back. */
  isGoing(path: Repository): Promise<boolean>;
};

const ROOT = '';

export function repositoryGate(
  dependencies: KnownRepositoryDependencies,
  { access, createOnPublish }: RepositoryRules,
): RepositoryGate {
  const { knownRepositories, clock } = dependencies;
  // The root repository is always there: nothing is read for it.
  const find = async (path: Repository) => (path === ROOT ? undefined : await knownRepositories.get(path));
  const refuseDeleted = (known: KnownRepository | undefined) => {
    if (known === undefined || !isDeleted(known)) return;
    throw new Fault(access === 'open' ? 'repository_deleted' : 'repository_not_found', wasDeleted(known));
  };

  return {
    async isThere(path) {
      if (path === ROOT) return true;
      const known = await find(path);
      return known !== undefined && !isDeleted(known);
    },

    async mustBeThere(path) {
      const known = await find(path);
      if (known !== undefined && isDeleted(known)) throw repositoryNotFound(known);
      if (known === undefined && path !== ROOT && access === 'closed') throw repositoryNotFound({ path });
    },

    async admission(path, by) {
      const known = await find(path);
      refuseDeleted(known);
      if (path === ROOT || known !== undefined) return { created: known?.created, make: async () => {} };
      if (access === 'closed' && !createOnPublish) throw repositoryNotFound({ path });
      return {
        created: undefined,
        make: async () => {
          const made = newRepository(dependencies, path, by);
          const told = accessChange(dependencies, by, { action: 'repository_created', repository: path });
          if (await knownRepositories.put(made, undefined, told)) return;
          // Somebody else made it, which is as good, unless it was deleted since.
          refuseDeleted(await knownRepositories.get(path));
        },
      };
    },

    isGoing: async (path) => isGoing(await find(path), clock.now()),
  };
}

/** A repository that is made at this moment. */
export function newRepository(
  { clock, newId }: KnownRepositoryDependencies,
  path: Repository,
  { account: by }: By,
): KnownRepository {
  return { path, created: new Date(clock.now()).toISOString(), by, revision: newId() };
}

/** A repository as it is shown to who may administer it. */
export function shownRepository(known: KnownRepository): object {
  const { revision, ...shown } = known;
  return isDeleted(known) ? { ...shown, restorableUntil: endOf(known) } : shown;
}

const endOf = (known: DeletedRepository) => new Date(restorableUntil(known)).toISOString();

export function repositoryNotFound(known: Pick<KnownRepository, 'path'> | KnownRepository): Fault {
  const message =
    'revision' in known && isDeleted(known)
      ? wasDeleted(known)
      : `there is no repository ${known.path}: PUT /-/repositories/${known.path} makes it${orAsProject(known.path)}`;
  return new Fault('repository_not_found', message);
}

const orAsProject = (path: Repository) =>
  isProjectName(path)
    ? `, and POST /api/v2.0/projects with {"project_name": "${path}"} as a project of Harbor's`
    : '';

const wasDeleted = (known: DeletedRepository) =>
  `repository ${known.path} was deleted at ${known.deleted}: until ${endOf(known)}, PUT /-/repositories/${known.path} with {"restore": true} brings it back`;

/** Until when to wait for an empty repository in the place of one that was deleted. */
export const waitUntilRemoved = (known: DeletedRepository) =>
  `wait until it is removed for good, two days after ${endOf(known)} at most`;

/** Why nothing is made where a deleted repository is about to be removed for good. */
export const stillGoing = (known: DeletedRepository) =>
  new Fault(
    'repository_deleted',
    `repository ${known.path} was deleted, and what was in it is being removed since ${endOf(known)}: take another path, or try again in two days`,
  );

/**
 * Makes a repository that is not there, or brings back one that was deleted.
 *
 * @throws Fault `repository_deleted` for one that was deleted, if it is not to come back or cannot any more;
 *   `repository_not_found` where there is nothing to bring back; `try_again`
 */
export async function putRepository(
  dependencies: KnownRepositoryDependencies,
  path: Repository,
  { restore, by }: { readonly restore: boolean; readonly by: By },
): Promise<{ readonly known: KnownRepository; readonly isNew: boolean }> {
  const { clock, newId } = dependencies;
  const tell = (before: KnownRepository | undefined) =>
    accessChange(dependencies, by, {
      action: before === undefined ? 'repository_created' : 'repository_restored',
      repository: path,
    });
  return await change(dependencies, path, tell, (before) => {
    if (before === undefined && restore) {
      throw new Fault(
        'repository_not_found',
        `there is no deleted repository ${path}: PUT without "restore" makes it`,
      );
    }
    if (before === undefined) return newRepository(dependencies, path, by);
    if (!isDeleted(before)) return before;
    if (isGoing(before, clock.now())) throw stillGoing(before);
    if (!restore) {
      throw new Fault(
        'repository_deleted',
        `repository ${path} was deleted at ${before.deleted}: send {"restore": true} to have it back as it was; to have an empty one, take another path, or ${waitUntilRemoved(before)}`,
      );
    }
    return restored(before, newId());
  });
}

function restored({ deleted, ...before }: DeletedRepository, revision: string): KnownRepository {
  return { ...before, revision };
}

/**
 * Deletes a repository; for a week it can be brought back.
 *
 * @throws Fault `repository_not_found`, `try_again`
 */
export async function deleteRepository(
  dependencies: KnownRepositoryDependencies,
  path: Repository,
  by: By,
): Promise<DeletedRepository> {
  const { clock, newId } = dependencies;
  const deleted = new Date(clock.now()).toISOString();
  const tell = () => accessChange(dependencies, by, { action: 'repository_deleted', repository: path });
  const { known } = await change(dependencies, path, tell, (before) => {
    if (before === undefined || isDeleted(before)) throw repositoryNotFound(before ?? { path });
    return { ...before, deleted, revision: newId() };
  });
  return { ...known, deleted };
}

/** Puts a repository back that was just deleted, unless somebody has changed it since. */
export async function undelete(
  dependencies: KnownRepositoryDependencies,
  deleted: DeletedRepository,
  by: By,
): Promise<void> {
  const { knownRepositories, newId } = dependencies;
  const told = accessChange(dependencies, by, { action: 'repository_restored', repository: deleted.path });
  await knownRepositories.put(restored(deleted, newId()), deleted.revision, told);
}

async function change(
  { knownRepositories }: KnownRepositoryDependencies,
  path: Repository,
  tell: (before: KnownRepository | undefined) => AccessChange,
  next: (before: KnownRepository | undefined) => KnownRepository,
): Promise<{ readonly known: KnownRepository; readonly isNew: boolean }> {
  const place = {
    read: () => knownRepositories.get(path),
    write: (known: KnownRepository, before: KnownRepository | undefined) =>
      knownRepositories.put(known, before?.revision, tell(before)),
  };
  const { value: known, isNew } = await changeRevised(path, place, next);
  return { known, isNew };
}
