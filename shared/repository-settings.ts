import type { Repository } from './domain/repository.ts';
import { type AllRepositorySettings, effectiveSettings, type RepositorySettings } from './domain/settings.ts';
import type { SettingsStore } from './store/settings-store.ts';

/** What holds for a repository at this moment. */
export type SettingsReader = (repository: Repository) => Promise<AllRepositorySettings>;

/** @param deployment what the deployment says for all of its repositories */
export function settingsReader(
  settings: Pick<SettingsStore, 'get'>,
  deployment: Partial<RepositorySettings>,
): SettingsReader {
  return async (repository) => effectiveSettings(await settings.get(repository), deployment);
}
