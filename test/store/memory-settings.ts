import type { Repository } from '../../shared/domain/repository.ts';
import type { AllRepositorySettings } from '../../shared/domain/settings.ts';
import type { SettingsStore } from '../../shared/store/settings-store.ts';
import { type Hook, hooked } from './hook.ts';

export function memorySettings({ hook }: { readonly hook?: Hook } = {}): SettingsStore & {
  known(): Iterable<Repository>;
  forget(repository: Repository): void;
} {
  const call = hooked('settings', hook);
  const said = new Map<Repository, Partial<AllRepositorySettings>>();
  return {
    get: (repository) => call('get', () => structuredClone(said.get(repository) ?? {})),
    put: (repository, settings) => call('put', () => void said.set(repository, structuredClone(settings))),
    known: () => said.keys(),
    forget: (repository) => void said.delete(repository),
  };
}
