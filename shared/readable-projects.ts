import { inParallel } from './async-iteration.ts';
import { type Caller, may } from './domain/access.ts';
import { isDeleted, type KnownRepository } from './domain/known-repository.ts';
import { isProject } from './domain/project.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';

/** Whether everybody may read a repository. */
export type PublicReader = (repository: Repository) => Promise<Pick<AllRepositorySettings, 'anonymousRead'>>;

export type ReadableDependencies = {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'all'>;
  readonly settingsOf: PublicReader;
};

// The settings of so many are read together: one after the other, a thousand projects would take seconds.
const READ_TOGETHER = 100;

/**
 * The projects that somebody may read, by name: all repositories of one segment that were made. What everybody may
 * read is told by the settings of each, which are read for those that the caller has no role in.
 *
 * @param isWanted nothing is read for the others
 */
export async function* readableProjects(
  dependencies: ReadableDependencies,
  caller: Pick<Caller, 'grants'>,
  isWanted: (path: Repository) => boolean = () => true,
): AsyncGenerator<KnownRepository> {
  let together: KnownRepository[] = [];
  for await (const known of dependencies.knownRepositories.all()) {
    if (!isProject(known.path) || isDeleted(known) || !isWanted(known.path)) continue;
    together.push(known);
    if (together.length < READ_TOGETHER) continue;
    yield* await readable(dependencies, caller, together);
    together = [];
  }
  yield* await readable(dependencies, caller, together);
}

/** Those of some projects that somebody may read, in their order. */
async function readable(
  dependencies: Pick<ReadableDependencies, 'settingsOf'>,
  caller: Pick<Caller, 'grants'>,
  projects: readonly KnownRepository[],
): Promise<readonly KnownRepository[]> {
  return await onlyThose(projects, ({ path }) => mayRead(dependencies, caller, path));
}

/** Whether there is a project of this name that somebody may read. */
export async function isReadableProject(
  dependencies: {
    readonly knownRepositories: Pick<KnownRepositoryStore, 'get'>;
    readonly settingsOf: PublicReader;
  },
  caller: Pick<Caller, 'grants'>,
  path: Repository,
): Promise<boolean> {
  const known = await dependencies.knownRepositories.get(path);
  if (known === undefined || isDeleted(known) || !isProject(path)) return false;
  return await mayRead(dependencies, caller, path);
}

/** Whether somebody may read a repository, by a role or because everybody may. */
export const mayRead = async (
  { settingsOf }: Pick<ReadableDependencies, 'settingsOf'>,
  caller: Pick<Caller, 'grants'>,
  path: Repository,
) => may(caller, 'read', path) || (await settingsOf(path)).anonymousRead;

/** Those of some projects of which something is true, in their order. */
export async function onlyThose(
  projects: readonly KnownRepository[],
  isSo: (known: KnownRepository) => Promise<boolean>,
): Promise<readonly KnownRepository[]> {
  const wanted = new Set<KnownRepository>();
  await inParallel(projects, async (known) => {
    if (await isSo(known)) wanted.add(known);
  });
  return projects.filter((known) => wanted.has(known));
}

/** Reads once for each repository, however often it is asked: what one request says of it is said of one moment. */
export function readingOnce(settingsOf: PublicReader): PublicReader {
  const seen = new Map<Repository, ReturnType<PublicReader>>();
  // Of each no more than this is kept: a key ring is long, and there may be thousands.
  const read: PublicReader = async (path) => ({ anonymousRead: (await settingsOf(path)).anonymousRead });
  return (path) => {
    const said = seen.get(path) ?? read(path);
    seen.set(path, said);
    return said;
  };
}
