import type { By } from '../domain/audit.ts';
import type { FaultCode } from '../domain/fault.ts';
import type { Repository } from '../domain/repository.ts';

/** An upload through the bucket: asked for by a client, or an object that an operator copied there. */
export type UploadRecord = {
  /** The name of its object in the inbox, without `.tgz`. */
  readonly id: string;
  /** When it was asked for, or first seen; RFC 3339 in UTC. */
  readonly created: string;
  /** Who asked for it, in whose name it is published. */
  readonly by: By;
  /** When the repository was made that it was asked for; left out for one that nobody had made. */
  readonly repositoryCreated?: string;
  /** When its form ends, where it was asked for; RFC 3339 in UTC. */
  readonly expires?: string;
  /** Whether it is to replace a version that is there. */
  readonly force: boolean;
  /** Whether whoever asked for it had the right to. */
  readonly mayReplace: boolean;
  /** Whether an operator copied it, who need not hear that it was there already. */
  readonly copied: boolean;
  /** Which put of its object the outcome is of. */
  readonly delivery?: string;
  readonly outcome: UploadOutcome;
};

export type UploadOutcome =
  | { readonly state: 'waiting' }
  | { readonly state: 'published'; readonly name: string; readonly version: string }
  | { readonly state: 'rejected'; readonly code: FaultCode; readonly message: string };

/** Uploads through the bucket. Every read is strong. They are forgotten some time after they were written. */
export type UploadStore = {
  get(repository: Repository, id: string): Promise<UploadRecord | undefined>;
  /** @param forgetAt when it need not be remembered any more, in milliseconds since 1970 */
  put(repository: Repository, upload: UploadRecord, forgetAt: number): Promise<void>;
  /**
   * Says which reservation is the one under which a delivery may be published. The first to say so is right.
   *
   * @param key of the package that was reserved
   * @returns the key that is right
   */
  claim(repository: Repository, delivery: string, key: string, forgetAt: number): Promise<string>;
};
