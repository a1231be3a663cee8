/**
 * Whether what was answered about one version can be explained: by some order of the changes, each taking
 * effect at one instant between its beginning and its end, as if they had happened one after the other.
 */

/** Digest of the live package; undefined if there is none. */
type State = string | undefined;

/** Something that was asked about a version. Times are steps of the history. */
export type Operation = {
  readonly what: string;
  readonly start: number;
  /** Infinity where it may take effect at any time after its start, or never. */
  readonly end: number;
  /** Whether it must have taken effect: it was acknowledged. */
  readonly certain: boolean;
  /** The state that it makes of one, or `impossible` where it cannot have met that state. */
  readonly effect: (state: State) => State | typeof impossible;
};

export const impossible = Symbol('impossible');

/** @returns whether there is such an order */
export function isExplained(operations: readonly Operation[]): boolean {
  const seen = new Set<string>();
  const search = (left: readonly Operation[], state: State): boolean => {
    if (left.every(({ certain }) => !certain)) return true;
    const key = `${left.map((operation) => operations.indexOf(operation)).join()} ${state}`;
    if (seen.has(key)) return false;
    seen.add(key);
    // Whatever must have happened and ended earliest bounds what can come first.
    const earliestEnd = Math.min(...left.filter(({ certain }) => certain).map(({ end }) => end));
    return left.some((operation) => {
      if (operation.start > earliestEnd) return false;
      // What ended before this one began cannot come after it: it had no effect.
      const rest = left.filter((other) => other !== operation && !(other.end < operation.start));
      const next = operation.effect(state);
      return next !== impossible && search(rest, next);
    });
  };
  return search(operations, undefined);
}
