import { accessChange } from './access-change.ts';
import { changeRevised } from './change-revised.ts';
import { type ChartDependencies, hasCharts } from './chart-count.ts';
import type { By } from './domain/audit.ts';
import { Fault } from './domain/fault.ts';
import { isDeleted, isGoing, type KnownRepository } from './domain/known-repository.ts';
import { newProjectSettings } from './domain/project.ts';
import type { Repository } from './domain/repository.ts';
import {
  deleteRepository,
  type KnownRepositoryDependencies,
  newRepository,
  repositoryNotFound,
  stillGoing,
  undelete,
  waitUntilRemoved,
} from './known-repositories.ts';
import { deleteLabelsOf } from './labels.ts';
import { type MemberDependencies, removeMembers } from './members.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';
import type { LabelStore } from './store/label-store.ts';
import type { SettingsStore } from './store/settings-store.ts';

type ProjectDependencies = KnownRepositoryDependencies & ChartDependencies;

export type DeletableDependencies = ChartDependencies & {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get'>;
};

export type CreateDependencies = ProjectDependencies &
  MemberDependencies & {
    readonly labels: Pick<LabelStore, 'in' | 'get' | 'remove'>;
    readonly settings: Pick<SettingsStore, 'get'>;
  };

/**
 * Makes a project, as Harbor does, with its settings in the same write. One that was deleted with nothing in it comes
 * back as a new one, without the members and labels it had: platforms delete and make the same project again at once.
 * Where none was known, what somebody granted and set under the name was meant for this one.
 *
 * @throws Fault `already_exists`; `repository_deleted` for one with charts in it, or that cannot come back; `try_again`
 */
export async function createProject(
  dependencies: CreateDependencies,
  path: Repository,
  { isPublic, by }: { readonly isPublic: boolean; readonly by: By },
): Promise<void> {
  const { knownRepositories, settings: ofRepositories } = dependencies;
  const settings = newProjectSettings(isPublic);
  const place = {
    read: async () => {
      const before = await knownRepositories.get(path);
      await mustBeFree(dependencies, before);
      if (before === undefined) return undefined;
      await deleteLabelsOf(dependencies, path, by);
      await removeMembers(dependencies, path, by);
      return before;
    },
    write: async (known: KnownRepository, before: KnownRepository | undefined) => {
      const change = accessChange(dependencies, by, {
        action: 'repository_created',
        repository: path,
        detail: { settings },
      });
      if (before !== undefined) {
        return await knownRepositories.put(known, before.revision, change, { said: settings });
      }
      const seen = await ofRepositories.get(path);
      return await knownRepositories.put(known, undefined, change, { seen, said: { ...seen, ...settings } });
    },
  };
  await changeRevised(path, place, () => newRepository(dependencies, path, by));
}

async function mustBeFree(dependencies: ProjectDependencies, known: KnownRepository | undefined) {
  if (known === undefined) return;
  const { path } = known;
  if (!isDeleted(known)) throw new Fault('already_exists', `the project named ${path} already exists`);
  if (isGoing(known, dependencies.clock.now())) throw stillGoing(known);
  if (!(await hasCharts(dependencies, path))) return;
  throw new Fault(
    'repository_deleted',
    `project ${path} was deleted at ${known.deleted} with charts in it: PUT /-/repositories/${path} with {"restore": true} brings it back with its charts, settings and labels, and the members that it still has; to have an empty one, take another name, or ${waitUntilRemoved(known)}`,
  );
}

const NOT_EMPTY =
  'the project contains helm charts, can not be deleted: delete its charts first, or send ?force=true to delete it with them';

/**
 * Why a project cannot be deleted as it is; undefined where it can.
 *
 * @throws Fault `repository_not_found`
 */
export async function whyNotDeletable(
  dependencies: DeletableDependencies,
  path: Repository,
): Promise<string | undefined> {
  const known = await dependencies.knownRepositories.get(path);
  if (known === undefined || isDeleted(known)) throw repositoryNotFound(known ?? { path });
  return (await hasCharts(dependencies, path)) ? NOT_EMPTY : undefined;
}

/**
 * Deletes a project. An empty one loses its members: whoever makes one of that name does not let them in. It is
 * deleted before they go, and is looked at once more then, when nobody can begin to publish to it: where this is cut
 * off, its admin brings it back, and whoever makes it again removes the members.
 *
 * @param force with the charts that are in it; for a week it can be brought back, so the members stay
 * @throws Fault `not_empty`, `repository_not_found`, `try_again`
 */
export async function deleteProject(
  dependencies: ProjectDependencies & MemberDependencies,
  path: Repository,
  { force, by }: { readonly force: boolean; readonly by: By },
): Promise<void> {
  const why = force ? undefined : await whyNotDeletable(dependencies, path);
  if (why !== undefined) throw new Fault('not_empty', why);
  const deleted = await deleteRepository(dependencies, path, by);
  if (force) return;
  if (await hasCharts(dependencies, path)) {
    await undelete(dependencies, deleted, by);
    throw new Fault('not_empty', NOT_EMPTY);
  }
  await removeMembers(dependencies, path, by);
}
