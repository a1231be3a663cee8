import type { FaultCode } from './domain/fault.ts';
import type { Repository } from './domain/repository.ts';

/** What is worth counting; what should not be is a Notice (refresh.ts). */
export type Happening =
  /** An index was made current. */
  | {
      readonly kind: 'refreshed';
      readonly repository: Repository;
      readonly sequence: number;
      readonly sizeBytes: number;
      readonly versions: number;
      /** How many marks it was made for. */
      readonly marks: number;
      readonly durationMs: number;
      /** Since the oldest change that it came to show was begun; undefined if it shows no new one. */
      readonly oldestMarkMs: number | undefined;
      /** The requests whose changes it came to show, in no order. */
      readonly requestIds: readonly string[];
      /** An upper bound of the size of all items of the repository, where the table tells it. */
      readonly collectionGigabytes: number | undefined;
    }
  /** An index is as large as this still. */
  | {
      readonly kind: 'measured';
      readonly repository: Repository;
      readonly sizeBytes: number;
      readonly versions: number;
    }
  /** A change was found that no index shows yet. */
  | { readonly kind: 'marks_waiting'; readonly repository: Repository; readonly oldestMarkMs: number }
  /** What was put into the inbox was published. */
  | {
      readonly kind: 'upload_published';
      readonly repository: Repository;
      readonly key: string;
      readonly requestId: string | undefined;
      readonly what: 'package' | 'provenance';
      readonly chart: string;
      readonly chartVersion: string;
    }
  /** What was put into the inbox was moved aside. */
  | {
      readonly kind: 'upload_rejected';
      /** None where the key names none that there can be. */
      readonly repository?: Repository;
      readonly key: string;
      readonly requestId?: string | undefined;
      readonly code: FaultCode;
      readonly reason?: string;
    };

/** Hears of what happens. @default nobody does */
export type Observing = {
  readonly observe?: ((happening: Happening) => void | Promise<void>) | undefined;
};
