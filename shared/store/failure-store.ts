import type { Branded } from '../domain/branded.ts';

/** An account, there or not, as somebody asks for it from one address. */
export type FailurePair = Branded<'FailurePair'>;

export type Failures = {
  readonly count: number;
  /** When they are forgotten, in milliseconds since 1970; to the second. */
  readonly until: number;
};

/** How often wrong passwords were sent. */
export type FailureStore = {
  /** @returns undefined where nothing counts at `now` (any more) */
  get(pair: FailurePair, now: number): Promise<Failures | undefined>;
  /**
   * Counts one more. Many may count at once.
   *
   * @param now in milliseconds since 1970
   * @param until when it is forgotten, if it is the first; the others are forgotten with the first
   */
  add(pair: FailurePair, now: number, until: number): Promise<void>;
};
