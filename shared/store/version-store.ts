import type { VersionChange } from '../domain/audit.ts';
import type { ChartName } from '../domain/chart-name.ts';
import type { Digest } from '../domain/digest.ts';
import type { VersionId } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';

/** A package that readers see, or will see once committed. */
export type PackageRecord = {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** JSON text of the version's metadata, without `urls`, `created` and `digest`. */
  readonly entry: string;
  /** The S3 key of the package; each reservation has one of its own. */
  readonly key: string;
  /** Instant of publishing, RFC 3339 in UTC with milliseconds. */
  readonly created: string;
};

export type ProvenanceRecord = {
  /** Digest of the package it speaks of: it counts only while that package is live. */
  readonly package: Digest;
  /** Digest of the provenance file's own bytes. */
  readonly digest: Digest;
  readonly key: string;
};

/** Somebody is uploading these bytes to this key. */
export type PendingPackage = PackageRecord & {
  /** When another may take the version over, in milliseconds since 1970. Safety does not rest on it. */
  readonly expires: number;
  readonly provenance?: ProvenanceRecord;
  /** What the audit is to say once it is committed, whoever does that. */
  readonly change: VersionChange;
};

/** The one item that holds a version's whole state (docs/decisions/one-item-per-version.md). */
export type VersionItem = VersionId & {
  readonly pending?: PendingPackage;
  readonly live?: PackageRecord;
  readonly provenance?: ProvenanceRecord;
  /** The mark: no published index holds this state yet. A new random token at each change. */
  readonly unindexed?: string;
  /** What happened since the mark was last cleared, in its order, which the audit may not know yet. */
  readonly changes?: readonly VersionChange[];
  /** The ids of its labels, ascending; some may be of labels that were deleted. */
  readonly labels?: readonly number[];
  /** Deleted, but the index may still list it. */
  readonly removed: boolean;
};

/** A version whose present state no published index holds yet, with the token that says which state. */
export type Mark = VersionId & { readonly token: string };

/** All state of versions. Every change is one conditional write to one item; every read is strong. */
export type VersionStore = {
  get(id: VersionId): Promise<VersionItem | undefined>;
  /** Every item of a chart, live or not, in any order. */
  ofChart(repository: Repository, name: ChartName): AsyncIterable<VersionItem>;
  /**
   * Every item of a repository, charts in ascending order of name.
   *
   * @param after only the charts that come after this one
   */
  ofRepository(repository: Repository, after?: ChartName): AsyncIterable<VersionItem>;
  /**
   * Claims a version for an upload: `pending` is set if there is no unexpired reservation, and no live
   * version unless `overwrite`.
   *
   * @returns false if something stands in the way
   */
  reserve(
    id: VersionId,
    pending: PendingPackage,
    rules: { overwrite: boolean; now: number },
  ): Promise<boolean>;
  /**
   * Makes the reserved package (and its provenance, if it came with one) what readers see, marks the
   * version, and adds the change of the reservation to its changes, with what it took the place of.
   *
   * @returns false if the reservation is not `pending` any more: committed by somebody else, or taken over
   */
  commit(id: VersionId, pending: PendingPackage): Promise<boolean>;
  /**
   * Ends a reservation whose upload will not come any more.
   *
   * @returns false if the reservation of `key` is not `pending` any more
   */
  abandon(id: VersionId, key: string): Promise<boolean>;
  /**
   * Brings back a version that the table has lost, and marks it.
   *
   * @param of `instead`: the key of an earlier package that is live in its place, since the table was set back
   * @returns false if the table knows more of the version: that is the truth then
   */
  restore(
    id: VersionId,
    live: PackageRecord,
    of: {
      readonly provenance?: ProvenanceRecord | undefined;
      readonly instead?: string | undefined;
      readonly change: VersionChange;
    },
  ): Promise<boolean>;
  /**
   * Joins a provenance file to a version, or leaves it waiting for its package. The index does not change, but
   * the version is marked: that is how its change comes to the audit.
   *
   * @returns false if another package is live, or, unless `overwrite`, this package has a provenance file
   */
  addProvenance(
    id: VersionId,
    provenance: ProvenanceRecord,
    rules: { overwrite: boolean; change: VersionChange },
  ): Promise<boolean>;
  /**
   * Deletes the live version whose package is at `key`, and marks it. A reservation that has expired goes
   * too: its upload is older than the delete, and nobody else may end it by publishing it.
   *
   * @returns false if that package is not live any more, or a reservation changed at the same time
   */
  remove(id: VersionId, key: string, rules: { now: number; change: VersionChange }): Promise<boolean>;
  /**
   * Attaches a label to a live version, which keeps it when it is overwritten, and not when it is deleted. The
   * index says nothing of labels, so the version is not marked.
   *
   * @param rules `most`: how many labels a version may have
   * @returns false if nothing is live, or the version has the label, or as many as it may have
   */
  addLabel(id: VersionId, label: number, rules: { most: number }): Promise<boolean>;
  /** @returns false if the version has no such label */
  removeLabel(id: VersionId, label: number): Promise<boolean>;
  /** The marks of a repository, in any order. */
  marks(repository: Repository): AsyncIterable<Mark>;
  /**
   * Clears a mark with the changes: an index that holds the state it stands for is current, and the audit has
   * them. Does nothing if the token was replaced. A tombstone without anything else goes as a whole.
   */
  indexed(mark: Mark): Promise<void>;
};
