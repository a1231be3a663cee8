import { GRACE_MS } from './leftovers.ts';
import type { Repository } from './repository.ts';

/** A repository that somebody made, by asking for it or by publishing to it. The root one needs no making. */
export type KnownRepository = {
  readonly path: Repository;
  /** RFC 3339 in UTC. */
  readonly created: string;
  /** The name of the account that made it, or of whom the audit tells in its place. */
  readonly by: string;
  /** Another one after each change. */
  readonly revision: string;
  /** When it was deleted, RFC 3339 in UTC; left out while it is there. */
  readonly deleted?: string;
};

export type DeletedRepository = KnownRepository & { readonly deleted: string };

// A week: who deletes by mistake on a Friday hears of it on Monday, and what has to go need not stay for long.
const RESTORABLE_MS = 7 * 24 * 60 * 60 * 1000;

export const isDeleted = (known: KnownRepository): known is DeletedRepository => known.deleted !== undefined;

/** Until when a deleted repository can be brought back, in milliseconds since 1970. */
export const restorableUntil = ({ deleted }: DeletedRepository): number =>
  Date.parse(deleted) + RESTORABLE_MS;

/** Whether a repository was deleted and cannot come back: what is left of it is of no use to anybody. */
export function isGoing(known: KnownRepository | undefined, now: number): boolean {
  return known !== undefined && isDeleted(known) && now >= restorableUntil(known);
}

/**
 * Whether all that is left of a repository may be removed: whoever was about to restore it, or worked in it
 * while it could be restored, is done.
 */
export const isRemovable = (known: KnownRepository, now: number): boolean => isGoing(known, now - GRACE_MS);
