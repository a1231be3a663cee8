/**
 * When indexes became current, as a pointer keeps it: enough to know which ones nobody can be reading any more,
 * and whether many publish at once. Few rows, however often it flips: every reader reads them.
 */

/** An index became current. */
export type Flip = {
  readonly sequence: number;
  /** When it was begun, by the clock of who made it, in milliseconds since 1970. */
  readonly began: number;
  /** When it became current, by the same clock; not before the one before it, whose clock may be ahead. */
  readonly at: number;
  /** How many marks it was made for. */
  readonly marks: number;
};

/**
 * How long an index is kept after it was replaced, in milliseconds. Who read the pointer just before has 30 s for the
 * request, and then a URL that lives 60 s (INDEX_URL_SECONDS). When it became current is read from the clock before the
 * flip is sent, which may take 20 s. And two clocks may differ by 20 s, of who flips and who removes, and by 20 s once
 * more, of who signs and the bucket.
 */
export const REPLACED_KEPT_MS = 150_000;

const APART_MS = 10_000;

/**
 * The flips with one more, thinned out: of those that came within some seconds only the first and the last stay, and
 * of those that are long ago only the newest. So they are 33 at most.
 *
 * Where clocks differ they are in order all the same: each is as late as the one before it, and what is further ahead
 * than any index is kept is forgotten. Both err towards keeping.
 */
export function withFlip(flips: readonly Flip[], flip: Flip): Flip[] {
  const earlier = flips.filter(({ at }) => at - flip.at <= REPLACED_KEPT_MS);
  const next = { ...flip, at: Math.max(flip.at, earlier.at(-1)?.at ?? 0) };
  const before = earlier.at(-2);
  const isClose = before !== undefined && next.at - before.at < APART_MS;
  const all = [...(isClose ? earlier.slice(0, -1) : earlier), next];
  return all.slice(Math.max(0, settledAt(all, next.at)));
}

/** The newest index that is known to be current for so long that nobody reads any before it; 0 if none is. */
export function settledSequence(flips: readonly Flip[], now: number): number {
  return flips[settledAt(flips, now)]?.sequence ?? 0;
}

const settledAt = (flips: readonly Flip[], now: number): number =>
  flips.findLastIndex(({ at }) => now - at > REPLACED_KEPT_MS);
