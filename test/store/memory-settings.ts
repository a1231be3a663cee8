import type { Repository } from '../../shared/domain/repository.ts';
import type { AllRepositorySettings } from '../../shared/domain/settings.ts';
import type { SettingsStore } from '../../shared/store/settings-store.ts';
import { type Hook, hooked } from './hook.ts';
import { type MemoryAudit, memoryAudit } from './memory-audit.ts';

type Options = { readonly hook?: Hook; readonly audit?: MemoryAudit };

export function memorySettings({ hook, audit = memoryAudit() }: Options = {}): SettingsStore & {
  known(): Iterable<Repository>;
  forget(repository: Repository): void;
} {
  const call = hooked('settings', hook);
  const said = new Map<Repository, Partial<AllRepositorySettings>>();
  return {
    get: (repository) => call('get', () => structuredClone(said.get(repository) ?? {})),
    put: (repository, settings, change) =>
      call('put', () => {
        said.set(repository, structuredClone(settings));
        audit.keep(change);
      }),
    known: () => said.keys(),
    forget: (repository) => void said.delete(repository),
  };
}
