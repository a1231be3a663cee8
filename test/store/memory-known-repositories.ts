import type { KnownRepository } from '../../shared/domain/known-repository.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import type { KnownRepositoryStore } from '../../shared/store/known-repository-store.ts';
import { type Hook, hooked } from './hook.ts';

export function memoryKnownRepositories({ hook }: { readonly hook?: Hook } = {}): KnownRepositoryStore {
  const call = hooked('knownRepositories', hook);
  const all = new Map<Repository, KnownRepository>();
  return {
    get: (path) => call('get', () => all.get(path)),
    async *all(after = '' as Repository) {
      const paths = [...all.keys()].filter((path) => path > after).toSorted();
      yield* await call('all', () => paths.flatMap((path) => all.get(path) ?? []));
    },
    put: (known, replaces) =>
      call('put', () => {
        const present = all.get(known.path)?.revision;
        if (present !== replaces && present !== known.revision) return false;
        all.set(known.path, known);
        return true;
      }),
    remove: (path, revision) =>
      call('remove', () => all.get(path)?.revision === revision && all.delete(path)),
  };
}
