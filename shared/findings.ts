import type { ChartName } from './domain/chart-name.ts';
import type { Digest } from './domain/digest.ts';
import type { Repository } from './domain/repository.ts';
import type { ChartVersion } from './domain/version.ts';

type OfVersion = { readonly name: ChartName; readonly version: ChartVersion };

/** Something that is not as it should be in a repository. docs/runbook.md has a section on each. */
export type Finding = {
  readonly repository: Repository;
} /** An upload that was given up; the version is there if its package was. */ & (
  | (OfVersion & { readonly kind: 'reservation_expired'; readonly package: 'there' | 'missing' })
  /** Objects that nobody names any more: packages that were replaced or deleted, uploads that broke off. */
  | { readonly kind: 'object_unnamed'; readonly key: string }
  /** An index that was replaced. */
  | { readonly kind: 'index_superseded'; readonly folder: string }
  /** The index says of a chart what the table does not. */
  | { readonly kind: 'index_differs'; readonly name: ChartName }
  /** The current index, or the ranges beside it. */
  | { readonly kind: 'index_lost'; readonly folder: string }
  /** There was an index and nothing says which one is current; `folder` is the newest, if there is any. */
  | { readonly kind: 'pointer_lost'; readonly folder?: string }
  /** An index newer than the pointer lists what the table does not know: it was set back to an earlier state. */
  | { readonly kind: 'pointer_behind'; readonly folder: string }
  /** An index once lost versions that nobody deleted. */
  | { readonly kind: 'index_shrank'; readonly before: string; readonly after: string }
  /** An index lists it, and the table does not know that it was published or deleted. */
  | (OfVersion & {
      readonly kind: 'version_lost';
      readonly package: 'there' | 'missing';
      /**
       * The package that was published at the listed instant, and provenance files for it, oldest first. Of
       * several provenance files nobody knows which ones were refused or replaced.
       */
      readonly keys: readonly string[];
      readonly digest: Digest;
      readonly created: string;
      /** The key of the earlier package that the table has instead, where it was set back. */
      readonly instead?: string;
      /** Not every index that may have been the last one lists it so: it may have been deleted, or replaced. */
      readonly isDoubtful?: boolean;
    })
  /** The table has it, and its bytes are gone. */
  | (OfVersion & { readonly kind: 'package_lost' | 'provenance_lost'; readonly key: string })
  /** What was extracted from its package is gone; it can be extracted again. */
  | (OfVersion & { readonly kind: 'files_lost'; readonly key: string })
  /** A package or provenance file of which neither table nor index knows, where the table lost something. */
  | { readonly kind: 'object_unclaimed'; readonly key: string }
);

type FindingKind = Finding['kind'];

/** What is cleaned up as a matter of course, or left for somebody to decide; everything else is damage. */
const routine: ReadonlySet<FindingKind> = new Set([
  'reservation_expired',
  'object_unnamed',
  'index_superseded',
  'object_unclaimed',
]);

export const isDamage = ({ kind }: Pick<Finding, 'kind'>): boolean => !routine.has(kind);
