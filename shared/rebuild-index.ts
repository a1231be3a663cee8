import { indexerSeconds } from './contract.ts';
import type { Repository } from './domain/repository.ts';
import { type IndexDependencies, type RefreshOptions, type RefreshOutcome, refreshIndex } from './refresh.ts';
import { underLease } from './under-lease.ts';

// As long as who rebuilds may run: nobody comes in between, and one that died delays others no longer.
const RUN_MS = indexerSeconds * 1_000;

// Longer than a refresh has the lease, so that a dead one is outlived, and asked for often enough to get a turn.
const PATIENCE_MS = 5_000;

export type RebuildOutcome = RefreshOutcome | { readonly kind: 'busy' };

/**
 * Builds an index from all versions, though there is one. At first beside the refreshes of others, for which nobody
 * need wait; these are faster than it each time while many publish, so where one came before it, it begins once more
 * under the lease of them all. One at a time for a repository.
 *
 * @returns `busy` if another rebuild is under way, or never a turn was had; `overtaken` by a refresh that was slower
 *   than its lease
 */
export async function rebuildIndex(
  dependencies: IndexDependencies,
  repository: Repository,
  forget?: RefreshOptions['forget'],
): Promise<RebuildOutcome> {
  const { clock } = dependencies;
  const rebuild = () =>
    refreshIndex(dependencies, repository, {
      rebuild: true,
      rebuildAtMost: Number.POSITIVE_INFINITY,
      forget,
    });
  const lease = (of: 'refresh' | 'rebuild', work: () => Promise<RebuildOutcome>) =>
    underLease(dependencies, repository, { lease: of, milliseconds: RUN_MS }, work);
  return await lease('rebuild', async () => {
    let outcome: RebuildOutcome = await rebuild();
    if (outcome.kind !== 'overtaken') return outcome;
    for (const deadline = clock.now() + PATIENCE_MS; ; ) {
      outcome = await lease('refresh', rebuild);
      if (outcome.kind !== 'busy' || clock.now() > deadline) return outcome;
      await clock.sleep(50);
    }
  });
}

/** Whether a rebuild was left to others, or to a later one. */
export const isPutOff = ({ kind }: RebuildOutcome): boolean => kind === 'busy' || kind === 'overtaken';

/** What is said where somebody asked for a rebuild that was put off. */
export const putOff = (repository: Repository): Error =>
  new Error(`the index of "${repository}" was not rebuilt: overtaken by others, or somebody else is at it`);
