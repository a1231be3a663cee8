import type { KnownRepository } from '../../shared/domain/known-repository.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import type { KnownRepositoryStore } from '../../shared/store/known-repository-store.ts';
import { type Hook, hooked } from './hook.ts';
import { type MemoryAudit, memoryAudit } from './memory-audit.ts';
import { memorySettings } from './memory-settings.ts';

type Options = {
  readonly hook?: Hook;
  readonly audit?: MemoryAudit;
  /** Where the settings go that are written with a repository. */
  readonly settings?: Pick<ReturnType<typeof memorySettings>, 'set' | 'says'>;
};

export function memoryKnownRepositories({
  hook,
  audit = memoryAudit(),
  settings: ofSettings = memorySettings(),
}: Options = {}): KnownRepositoryStore {
  const call = hooked('knownRepositories', hook);
  const all = new Map<Repository, KnownRepository>();
  return {
    get: (path) => call('get', () => all.get(path)),
    async *all(after = '' as Repository) {
      const paths = [...all.keys()].filter((path) => path > after).toSorted();
      yield* await call('all', () => paths.flatMap((path) => all.get(path) ?? []));
    },
    put: (known, replaces, change, settings) =>
      call('put', () => {
        const present = all.get(known.path)?.revision;
        if (present !== replaces && present !== known.revision) return false;
        if (settings !== undefined) {
          const { seen, said } = settings;
          const isSeen = (each: typeof said) => ofSettings.says(known.path, each);
          if (seen !== undefined && !isSeen(seen) && !isSeen(said)) return false;
          ofSettings.set(known.path, said);
        }
        all.set(known.path, known);
        audit.keep(change);
        return true;
      }),
    remove: (path, revision, change) =>
      call('remove', () => {
        if (all.get(path)?.revision !== revision) return false;
        audit.keep(change);
        return all.delete(path);
      }),
  };
}
