import { isDeepStrictEqual } from 'node:util';
import type { Repository } from '../../shared/domain/repository.ts';
import type { AllRepositorySettings } from '../../shared/domain/settings.ts';
import type { SettingsStore } from '../../shared/store/settings-store.ts';
import { type Hook, hooked } from './hook.ts';
import { type MemoryAudit, memoryAudit } from './memory-audit.ts';

type Options = { readonly hook?: Hook; readonly audit?: MemoryAudit };

export function memorySettings({ hook, audit = memoryAudit() }: Options = {}): SettingsStore & {
  /** Writes with something else: no call. */
  set(repository: Repository, settings: Partial<AllRepositorySettings>): void;
  says(repository: Repository, settings: Partial<AllRepositorySettings>): boolean;
  known(): Iterable<Repository>;
  forget(repository: Repository): void;
} {
  const call = hooked('settings', hook);
  const said = new Map<Repository, Partial<AllRepositorySettings>>();
  const says = (repository: Repository, settings: Partial<AllRepositorySettings>) =>
    isDeepStrictEqual(said.get(repository) ?? {}, settings);
  return {
    get: (repository) => call('get', () => structuredClone(said.get(repository) ?? {})),
    put: (repository, settings, change) =>
      call('put', () => {
        said.set(repository, structuredClone(settings));
        audit.keep(change);
      }),
    replace: (repository, seen, settings, change) =>
      call('replace', () => {
        if (!says(repository, seen) && !says(repository, settings)) return false;
        said.set(repository, structuredClone(settings));
        audit.keep(change);
        return true;
      }),
    set: (repository, settings) => void said.set(repository, structuredClone(settings)),
    says,
    known: () => said.keys(),
    forget: (repository) => void said.delete(repository),
  };
}
