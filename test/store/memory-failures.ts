import type { FailurePair, FailureStore, Failures } from '../../shared/store/failure-store.ts';
import { type Hook, hooked } from './hook.ts';

export function memoryFailures({ hook }: { readonly hook?: Hook } = {}): FailureStore {
  const call = hooked('failures', hook);
  const counts = new Map<FailurePair, Failures>();
  const present = (pair: FailurePair, now: number) => {
    const counted = counts.get(pair);
    return counted !== undefined && now < counted.until ? counted : undefined;
  };
  return {
    get: (pair, now) => call('get', () => present(pair, now)),
    add: (pair, now, until) =>
      call('add', () => {
        const { count, until: earlier } = present(pair, now) ?? { count: 0, until };
        counts.set(pair, { count: count + 1, until: Math.ceil(earlier / 1000) * 1000 });
      }),
  };
}
