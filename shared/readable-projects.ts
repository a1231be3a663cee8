import { type Caller, may } from './domain/access.ts';
import { isDeleted, type KnownRepository } from './domain/known-repository.ts';
import { isProject } from './domain/project.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';

export type ReadableDependencies = {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'all'>;
  readonly settingsOf: SettingsReader;
};

/**
 * The projects that somebody may read, by name: all repositories of one segment that were made. What everybody may
 * read is told by the settings of each, which are read for those that the caller has no role in.
 */
export async function* readableProjects(
  { knownRepositories, settingsOf }: ReadableDependencies,
  caller: Pick<Caller, 'grants'>,
): AsyncGenerator<KnownRepository> {
  for await (const known of knownRepositories.all()) {
    if (!isProject(known.path) || isDeleted(known)) continue;
    if (may(caller, 'read', known.path) || (await settingsOf(known.path)).anonymousRead) yield known;
  }
}
