import { createHash } from 'node:crypto';
import { accessChange, type ChangeDependencies } from './access-change.ts';
import type { AccessChange, By } from './domain/audit.ts';
import { Fault } from './domain/fault.ts';
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
  await dependencies.settings.put(repository, settings, told(dependencies, repository, settings, by));
}

/**
 * Says one thing anew of those that a repository says of itself; what else it says stays, whoever changes it meanwhile.
 *
 * @throws Fault `try_again`
 */
export async function changeSettings(
  dependencies: ChangeDependencies & { readonly settings: Pick<SettingsStore, 'get' | 'replace'> },
  repository: Repository,
  settings: Partial<AllRepositorySettings>,
  by: By,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const seen = await dependencies.settings.get(repository);
    const said = { ...seen, ...settings };
    const change = told(dependencies, repository, said, by);
    if (await dependencies.settings.replace(repository, seen, said, change)) return;
  }
  const message = `the settings of ${repository} are being changed by others: try again`;
  throw new Fault('try_again', message, { retryAfterSeconds: 1 });
}

const ATTEMPTS = 5;

function told(
  dependencies: ChangeDependencies,
  repository: Repository,
  { keyRing, ...others }: Partial<AllRepositorySettings>,
  by: By,
): AccessChange {
  // A ring may be a thousand times as long as everything else.
  const digest = keyRing && createHash('sha256').update(keyRing).digest('hex');
  const detail = { settings: { ...others, ...(digest && { keyRing: `SHA-256 ${digest}` }) } };
  return accessChange(dependencies, by, { action: 'settings_changed', repository, detail });
}
