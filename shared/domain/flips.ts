/**
 * When indexes became current, as a pointer keeps it: enough to know which ones nobody can be reading any more,
 * and whether many publish at once. Few rows, however often it flips: every reader reads them.
 */

/** An index became current. */
export type Flip = {
  readonly sequence: number;
  /** When it was begun, by the clock of who made it, in milliseconds since 1970. */
  readonly began: number;
  /** When it became current, by the same clock. */
  readonly at: number;
  /** How many marks it was made for. */
  readonly marks: number;
};

/**
 * How long an index is kept after it was replaced, in milliseconds. Who read the pointer just before has 30 s for the
 * request, and then a URL that lives 60 s (INDEX_URL_SECONDS); two clocks may differ by 30 s, of who flips and who
 * removes, and of who signs and the bucket.
 */
export const REPLACED_KEPT_MS = 150_000;

const APART_MS = 10_000;

/**
 * The flips with one more, thinned out: of those that came within some seconds only the first and the last stay, and
 * of those that are long ago only the newest.
 */
export function withFlip(flips: readonly Flip[], flip: Flip): Flip[] {
  const before = flips.at(-2);
  const isClose = before !== undefined && flip.at - before.at < APART_MS;
  const all = [...(isClose ? flips.slice(0, -1) : flips), flip];
  return all.slice(Math.max(0, settledAt(all, flip.at)));
}

/** The newest index that is known to be current for so long that nobody reads any before it; 0 if none is. */
export function settledSequence(flips: readonly Flip[], now: number): number {
  return flips[settledAt(flips, now)]?.sequence ?? 0;
}

const settledAt = (flips: readonly Flip[], now: number): number =>
  flips.findLastIndex(({ at }) => now - at > REPLACED_KEPT_MS);
