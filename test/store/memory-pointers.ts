import type { Repository } from '../../shared/domain/repository.ts';
import type { Lease, Pointer, PointerStore } from '../../shared/store/pointer-store.ts';
import { type Hook, hooked } from './hook.ts';

type Held = { readonly holder: string; readonly expires: number };

/** The pointers in memory, and ways to look at them and to lose them that are no calls. */
export type MemoryPointers = PointerStore & {
  known(): Iterable<Repository>;
  look(repository: Repository): Pointer | undefined;
  lose(repository: Repository): void;
};

/** A pointer store whose every call changes its state at once, or not at all. */
export function memoryPointers({ hook }: { readonly hook?: Hook } = {}): MemoryPointers {
  const call = hooked('pointers', hook);
  const pointers = new Map<Repository, Pointer>();
  const leases = new Map<string, Held>();
  const keyOf = (repository: Repository, lease: Lease = 'refresh') => `${lease} ${repository}`;

  return {
    known: () => pointers.keys(),
    look: (repository) => pointers.get(repository),
    lose: (repository) => void pointers.delete(repository),

    get: (repository) => call('get', () => pointers.get(repository)),

    flip: (repository, previous, next, measured) =>
      call('flip', () => {
        const current = pointers.get(repository);
        const nextIsCurrent = current?.sequence === next.sequence && current.folder === next.folder;
        if (current?.folder !== previous?.folder && !nextIsCurrent) return false;
        pointers.set(repository, next);
        // What DynamoDB says of any that is not near its second gigabyte.
        measured?.(1);
        return true;
      }),

    lease: (repository, holder, { now, expires }, lease) =>
      call('lease', () => {
        const current = leases.get(keyOf(repository, lease));
        if (current !== undefined && current.holder !== holder && current.expires > now) return false;
        leases.set(keyOf(repository, lease), { holder, expires });
        return true;
      }),

    release: (repository, holder, lease) =>
      call('release', () => {
        const key = keyOf(repository, lease);
        if (leases.get(key)?.holder === holder) leases.delete(key);
      }),
  };
}
