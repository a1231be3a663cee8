import type { S3Client } from '@aws-sdk/client-s3';
import { describe, it } from 'vitest';
import type { ObjectStore } from '../../shared/store/object-store.ts';
import { s3Indexes } from './s3-indexes.ts';
import { s3Multipart } from './s3-multipart.ts';
import { s3Reads } from './s3-reads.ts';
import { s3Uploads } from './s3-uploads.ts';
import { s3Versions } from './s3-versions.ts';

/** A bucket as the plain SDK and plain HTTP see it. */
export type S3 = {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly objects: ObjectStore;
};

/** What an imitation of S3 may be known not to do. */
export type Shortcoming =
  | 'refuses a signature of another secret'
  | 'refuses two credentials at once'
  | 'refuses a part that is too small'
  | 'refuses an empty list of parts, and one out of order'
  | 'tells the checksum of a copied part'
  | 'wants the checksum of each part'
  | 'refuses bytes that were not signed';

/** Declares a test that a server with that shortcoming would fail. */
export type TestUnless = (shortcoming: Shortcoming) => typeof it | typeof it.skip;

/** What S3 does beyond the object store: what its clients meet, and what larger uploads will stand on. */
export function s3Contract(open: () => S3, shortcomings: readonly Shortcoming[]): void {
  describe('S3 itself', () => {
    const itUnless: TestUnless = (shortcoming) => it.skipIf(shortcomings.includes(shortcoming));
    s3Reads(open, itUnless);
    s3Uploads(open, itUnless);
    s3Multipart(open, itUnless);
    s3Indexes(open);
    s3Versions(open);
  });
}
