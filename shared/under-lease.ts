import type { Repository } from './domain/repository.ts';
import type { IndexDependencies } from './refresh.ts';
import type { Lease } from './store/pointer-store.ts';

type LeaseDependencies = Pick<IndexDependencies, 'pointers' | 'clock' | 'newId' | 'report'>;

/** Works while nobody else has the lease, or not at all. */
export async function underLease<Result>(
  { pointers, clock, newId, report }: LeaseDependencies,
  repository: Repository,
  { lease, milliseconds }: { readonly lease: Lease; readonly milliseconds: number },
  work: () => Promise<Result>,
): Promise<Result | { readonly kind: 'busy' }> {
  const holder = newId();
  const now = clock.now();
  if (!(await pointers.lease(repository, holder, { now, expires: now + milliseconds }, lease))) {
    return { kind: 'busy' };
  }
  try {
    return await work();
  } finally {
    // It expires by itself: not to be able to give it back is no reason to fail.
    await pointers
      .release(repository, holder, lease)
      .catch((error: unknown) => report({ kind: 'clean_up_failed', repository, error }));
  }
}
