import type { Flip } from '../domain/flips.ts';
import type { Repository } from '../domain/repository.ts';

/** Says which index object is a repository's current one. */
export type Pointer = {
  /** Rises by one at each change. */
  readonly sequence: number;
  /** The folder of the index object and its ranges, ending in `/`; its last part is the ETag. */
  readonly folder: string;
  readonly sizeBytes: number;
  /** How many versions the repository had, those too that the index leaves out. */
  readonly versions: number;
  /** How many versions of each chart the index lists at most; none where it lists all. */
  readonly perChart?: number;
  /** Which settings the index was rendered with; see settingsFingerprint. */
  readonly settings: string;
  /**
   * Indexes that listed versions which the next one had lost without a delete, with that next one: the
   * first few, kept until a repair has looked at them (docs/runbook.md, "An index shrank").
   */
  readonly shrank: readonly Shrinking[];
  /** The folder with the list of the versions that were lost and are not back; none where none was lost. */
  readonly lost?: string;
  /** When it and some before it became current, the last one last; none in an item of an earlier Chartroom. */
  readonly flips: readonly Flip[];
};

/** An index that lost versions: the folder of the last index that had them, and of the first that had not. */
export type Shrinking = { readonly before: string; readonly after: string };

/** What one does at a time; who rebuilds may need both. */
export type Lease = 'refresh' | 'rebuild';

/** Pointers and leases of repositories. Every read is strong. */
export type PointerStore = {
  get(repository: Repository): Promise<Pointer | undefined>;
  /**
   * Makes `next` current if `previous` still is (or there is none still). The folder decides, not the
   * sequence: where a pointer was lost, a number may come again.
   *
   * @param measured told how large all items of the repository are at most, in gigabytes, where the store knows
   * @returns false if somebody else was faster
   */
  flip(
    repository: Repository,
    previous: Pointer | undefined,
    next: Pointer,
    measured?: (gigabytes: number) => void,
  ): Promise<boolean>;
  /**
   * Asks to be the one who does something, so that many do not all do the same work. Not needed for safety: flip
   * decides.
   *
   * @param lease what is to be done; by default to refresh
   * @returns false while another holds it
   */
  lease(
    repository: Repository,
    holder: string,
    times: { now: number; expires: number },
    lease?: Lease,
  ): Promise<boolean>;
  /** Gives the lease back, if it is still this holder's. */
  release(repository: Repository, holder: string, lease?: Lease): Promise<void>;
};
