import type { AccessChange } from '../domain/audit.ts';
import type { KnownRepository } from '../domain/known-repository.ts';
import type { Repository } from '../domain/repository.ts';
import type { AllRepositorySettings } from '../domain/settings.ts';

/** What a repository says of itself from some moment on. */
export type SettingsToo = {
  readonly said: Partial<AllRepositorySettings>;
  /** What it was seen to say, whose place it takes. @default whatever it says */
  readonly seen?: Partial<AllRepositorySettings>;
};

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
   * @param change what the audit says of it, written with it or not at all
   * @param settings what the repository says of itself from then on, written with it too. @default what it said before
   * @returns false if it is another by now, or says something else than it was seen to say
   */
  put(
    known: KnownRepository,
    replaces: string | undefined,
    change: AccessChange,
    settings?: SettingsToo,
  ): Promise<boolean>;
  /** @returns false if it is not there at that revision */
  remove(path: Repository, revision: string, change: AccessChange): Promise<boolean>;
};
