import type { KnownRepository } from '../domain/known-repository.ts';
import type { Repository } from '../domain/repository.ts';

/**
 * Which repositories there are, and which were deleted; repository-store.ts knows what they hold. Every read is
 * strong.
 */
export type KnownRepositoryStore = {
  get(path: Repository): Promise<KnownRepository | undefined>;
  /** By path, ascending; those after a path, or all. */
  all(after?: Repository): AsyncIterable<KnownRepository>;
  /**
   * Takes the place of the repository as it was at a revision.
   *
   * @param replaces undefined where there was none
   * @returns false if it is another by now
   */
  put(known: KnownRepository, replaces: string | undefined): Promise<boolean>;
  /** @returns false if it is not there at that revision */
  remove(path: Repository, revision: string): Promise<boolean>;
};
