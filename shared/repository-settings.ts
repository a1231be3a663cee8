import { createHash } from 'node:crypto';
import { accessChange, type ChangeDependencies } from './access-change.ts';
import type { By } from './domain/audit.ts';
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

/** Says anew what a repository says of itself, from whatever begins now. */
export async function putSettings(
  dependencies: ChangeDependencies & { readonly settings: Pick<SettingsStore, 'put'> },
  repository: Repository,
  settings: Partial<AllRepositorySettings>,
  by: By,
): Promise<void> {
  const { keyRing, ...others } = settings;
  // A ring may be a thousand times as long as everything else.
  const digest = keyRing && createHash('sha256').update(keyRing).digest('hex');
  const detail = { settings: { ...others, ...(digest && { keyRing: `SHA-256 ${digest}` }) } };
  const change = accessChange(dependencies, by, { action: 'settings_changed', repository, detail });
  await dependencies.settings.put(repository, settings, change);
}
