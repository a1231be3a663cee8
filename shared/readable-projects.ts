import { inParallel } from './async-iteration.ts';
import { type Caller, may } from './domain/access.ts';
import { isDeleted, type KnownRepository } from './domain/known-repository.ts';
import { isProject } from './domain/project.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';

export type ReadableDependencies = {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'all'>;
  readonly settingsOf: SettingsReader;
};

// The settings of so many are read together: one after the other, a thousand projects would take seconds.
const READ_TOGETHER = 100;

/**
 * The projects that somebody may read, by name: all repositories of one segment that were made. What everybody may
 * read is told by the settings of each, which are read for those that the caller has no role in.
 */
export async function* readableProjects(
  dependencies: ReadableDependencies,
  caller: Pick<Caller, 'grants'>,
): AsyncGenerator<KnownRepository> {
  let together: KnownRepository[] = [];
  for await (const known of dependencies.knownRepositories.all()) {
    if (!isProject(known.path) || isDeleted(known)) continue;
    together.push(known);
    if (together.length < READ_TOGETHER) continue;
    yield* await readable(dependencies, caller, together);
    together = [];
  }
  yield* await readable(dependencies, caller, together);
}

/** Those of some projects that somebody may read, in their order. */
async function readable(
  { settingsOf }: Pick<ReadableDependencies, 'settingsOf'>,
  caller: Pick<Caller, 'grants'>,
  projects: readonly KnownRepository[],
): Promise<readonly KnownRepository[]> {
  const allowed = new Set<KnownRepository>();
  await inParallel(projects, async (known) => {
    if (may(caller, 'read', known.path) || (await settingsOf(known.path)).anonymousRead) allowed.add(known);
  });
  return projects.filter((known) => allowed.has(known));
}
