import type { ChartName } from '../domain/chart-name.ts';
import type { Repository } from '../domain/repository.ts';

/** How much a repository holds, as reconciliation counted it. */
export type Counts = {
  readonly versions: number;
  /** Sum of the packages' sizes. */
  readonly sizeBytes: number;
};

/** How far a pass of reconciliation over all repositories got. */
export type Progress = {
  /** When the pass began, in milliseconds since 1970. */
  readonly began: number;
  /**
   * The table's repositories come first, then those that only the bucket knows; a pass is done after both.
   */
  readonly phase: 'table' | 'bucket' | 'done';
  /** The repositories up to this one, in the order of the phase, are done. */
  readonly after?: Repository;
  /** The repository that is under way, the chart up to which it is done, and what was counted so far. */
  readonly current?: { readonly repository: Repository; readonly after: ChartName; readonly counts: Counts };
};

/** What is known of repositories as wholes, and of the work that goes over all of them. */
export type RepositoryStore = {
  /**
   * Every repository of which the table holds anything, in an order of the table's own.
   *
   * @param after only those that come after this one in that order
   */
  all(after?: Repository): AsyncIterable<Repository>;
  /** Whether the table holds anything of a repository. */
  has(repository: Repository): Promise<boolean>;
  counts(repository: Repository): Promise<Counts | undefined>;
  setCounts(repository: Repository, counts: Counts): Promise<void>;
  /**
   * Deletes some of what the table holds in a repository, whatever it is.
   *
   * @returns false if nothing was left
   */
  forgetSome(repository: Repository): Promise<boolean>;
  progress(): Promise<Progress | undefined>;
  setProgress(progress: Progress): Promise<void>;
};
