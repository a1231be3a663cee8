/** Chance that a seed decides: the same seed gives the same numbers, whatever the machine does between them. */
export type Random = {
  /** From 0 to below 1. */
  next(): number;
  /** A whole number from 0 to `below` - 1. */
  below(below: number): number;
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  /** One of some items; there must be one. */
  pick<Item>(items: readonly Item[]): Item;
  /** One of some items, if there are any. */
  pickAny<Item>(items: readonly Item[]): Item | undefined;
};

/** Mulberry32: small, fast, and good enough to choose who goes next. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pickAny: (items) => items[below(items.length)],
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
  };
}
