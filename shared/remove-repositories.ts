import { accessChange } from './access-change.ts';
import { inParallel, throwAll } from './async-iteration.ts';
import { type DeleteDependencies, deleteIfLive } from './delete.ts';
import { upkeep } from './domain/audit.ts';
import { isRemovable } from './domain/known-repository.ts';
import { repositoryFolders } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { deleteLabelsOf } from './labels.ts';
import type { AuditStore } from './store/audit-store.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';
import type { LabelStore } from './store/label-store.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { RepositoryStore } from './store/repository-store.ts';
import type { VersionStore } from './store/version-store.ts';

export type RemoveDependencies = DeleteDependencies & {
  readonly versions: Pick<VersionStore, 'ofRepository'>;
  readonly objects: Pick<ObjectStore, 'listVersions' | 'removeForGood'>;
  readonly repositories: Pick<RepositoryStore, 'forgetSome'>;
  readonly knownRepositories: Pick<KnownRepositoryStore, 'all' | 'remove'>;
  readonly labels: Pick<LabelStore, 'in' | 'get' | 'remove'>;
  readonly audit: Pick<AuditStore, 'put'>;
};

// As many as S3 deletes in one call.
const TOGETHER = 1_000;

/**
 * Removes for good what is left of the repositories that were deleted too long ago to come back. It may be cut
 * off anywhere: what is left is what the next call begins with, and a repository is known until nothing of it is.
 *
 * @param until when no new step is begun, in milliseconds since 1970
 * @returns whether all of it is done
 * @throws what failed, once the other repositories are done
 */
export async function removeDeletedRepositories(
  dependencies: RemoveDependencies,
  until: number,
): Promise<boolean> {
  const { knownRepositories, clock } = dependencies;
  const isOver = () => clock.now() >= until;
  const errors: unknown[] = [];
  let isDone = true;
  for await (const known of knownRepositories.all()) {
    if (!isRemovable(known, clock.now())) continue;
    try {
      isDone = await removeContents(dependencies, known.path, isOver);
      if (!isDone) break;
      const told = { action: 'repository_removed', repository: known.path } as const;
      await knownRepositories.remove(known.path, known.revision, accessChange(dependencies, upkeep, told));
    } catch (error) {
      // The others are not to wait for this one, which may fail every time.
      errors.push(error);
    }
  }
  throwAll(errors);
  return isDone;
}

type IsOver = () => boolean;

/** Versions first, as anybody deletes them: whoever looks meanwhile finds no version without its bytes. */
async function removeContents(
  dependencies: RemoveDependencies,
  repository: Repository,
  isOver: IsOver,
): Promise<boolean> {
  return (
    (await deleteVersions(dependencies, repository, isOver)) &&
    (await removeObjects(dependencies, repository, isOver)) &&
    (await deleteLabelsOf(dependencies, repository, upkeep, isOver)) &&
    (await forgetItems(dependencies, repository, isOver))
  );
}

async function deleteVersions(
  dependencies: RemoveDependencies,
  repository: Repository,
  isOver: IsOver,
): Promise<boolean> {
  for await (const items of inPages(dependencies.versions.ofRepository(repository))) {
    if (isOver()) return false;
    const live = items.filter((item) => item.live !== undefined);
    await inParallel(live, async (item) => void (await deleteIfLive(dependencies, item, upkeep)));
    await inParallel(items, async ({ changes = [], repository, name, version }) => {
      // What no index told the audit of. That these versions go is told once, of their repository.
      for (const change of changes) await dependencies.audit.put({ ...change, repository, name, version });
    });
  }
  return true;
}

/** With their old versions: the bucket's history does not hold them either. */
async function removeObjects(
  { objects }: RemoveDependencies,
  repository: Repository,
  isOver: IsOver,
): Promise<boolean> {
  for (const folder of repositoryFolders(repository)) {
    for await (const versions of inPages(objects.listVersions(folder))) {
      if (isOver()) return false;
      await objects.removeForGood(versions);
    }
  }
  return true;
}

async function forgetItems(
  { repositories }: RemoveDependencies,
  repository: Repository,
  isOver: IsOver,
): Promise<boolean> {
  while (!isOver()) if (!(await repositories.forgetSome(repository))) return true;
  return false;
}

async function* inPages<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < TOGETHER) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
