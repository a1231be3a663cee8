import type { AccessChange } from '../domain/audit.ts';
import type { Repository } from '../domain/repository.ts';
import type { AllRepositorySettings } from '../domain/settings.ts';

/** What repositories say of themselves. Every read is strong. */
export type SettingsStore = {
  /** @returns nothing said, if nobody ever said anything */
  get(repository: Repository): Promise<Partial<AllRepositorySettings>>;
  /** Takes the place of whatever the repository said before, and tells the audit, both or neither. */
  put(repository: Repository, settings: Partial<AllRepositorySettings>, change: AccessChange): Promise<void>;
  /**
   * Takes the place of what the repository was seen to say.
   *
   * @returns false if it says something else by now
   */
  replace(
    repository: Repository,
    seen: Partial<AllRepositorySettings>,
    settings: Partial<AllRepositorySettings>,
    change: AccessChange,
  ): Promise<boolean>;
};
