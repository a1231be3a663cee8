/** A call to a memory store. */
export type Call = {
  /** `versions`, `pointers` or `objects`. */
  readonly store: string;
  /** The store's method; a page of an iterable is a call of its own. */
  readonly operation: string;
  readonly phase: 'before' | 'after';
};

/**
 * Runs before and after the change that a call makes: the point where a simulation lets others go first.
 * It may delay the call, or throw: before, nothing happened; after, it happened and the caller does not know.
 */
export type Hook = (call: Call) => Promise<void>;

export type Hooked = <Result>(operation: string, change: () => Result) => Promise<Result>;

/** Puts every change of a store, itself synchronous, between two runs of the hook. */
export function hooked(store: string, hook: Hook = async () => {}): Hooked {
  return async (operation, change) => {
    await hook({ store, operation, phase: 'before' });
    const result = change();
    await hook({ store, operation, phase: 'after' });
    return result;
  };
}
