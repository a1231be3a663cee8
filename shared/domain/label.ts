import type { Repository } from './repository.ts';

/** What a label says, which may change. */
type LabelWish = {
  readonly name: string;
  readonly description: string;
  /** As a client wrote it, mostly `#rrggbb`. */
  readonly color: string;
};

/** A word that can be attached to versions, as Harbor has them. */
export type Label = LabelWish & {
  /** 31 bits and positive, which clients made from Harbor's description can read. */
  readonly id: number;
  /** The project whose versions may have it; left out where those of every project may. */
  readonly project?: Repository;
  /** RFC 3339 in UTC, as the next one. */
  readonly created: string;
  readonly updated: string;
  /** Another one after each change. */
  readonly revision: string;
};

/** The largest number of 31 bits, and so the largest id. */
export const MOST_ID = 2 ** 31 - 1;
