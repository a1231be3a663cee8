import type { Repository } from '../../shared/domain/repository.ts';
import type { Counts, Progress, RepositoryStore } from '../../shared/store/repository-store.ts';
import { type Hook, hooked } from './hook.ts';

type Options = {
  readonly hook?: Hook;
  /** The repositories of which the other stores hold anything. */
  readonly known: () => Iterable<Repository>;
  /** Empties these stores of a repository. */
  readonly forget: (repository: Repository) => void;
};

/** A repository store over what other memory stores hold. */
export function memoryRepositories({ hook, known, forget }: Options): RepositoryStore {
  const call = hooked('repositories', hook);
  const counts = new Map<Repository, Counts>();
  let progress: Progress | undefined;

  return {
    async *all(after) {
      let last = after;
      for (;;) {
        const next = await call('all', () =>
          [...known()].sort().find((repository) => last === undefined || repository > last),
        );
        if (next === undefined) return;
        yield next;
        last = next;
      }
    },
    has: (repository) => call('has', () => [...known()].includes(repository)),
    counts: (repository) => call('counts', () => counts.get(repository)),
    setCounts: (repository, counted) => call('setCounts', () => void counts.set(repository, counted)),
    forgetSome: (repository) =>
      call('forgetSome', () => {
        const hadCounts = counts.delete(repository);
        const wasThere = hadCounts || [...known()].includes(repository);
        forget(repository);
        return wasThere;
      }),
    progress: () => call('progress', () => progress),
    setProgress: (next) =>
      call('setProgress', () => {
        progress = next;
      }),
  };
}
