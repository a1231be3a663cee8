import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { mergedPrefix, prefixes } from '../shared/contract.ts';
import { bucketCors } from './cors.ts';

export type ChartBucketProps = {
  /** Whether scripts in browsers may follow the API's redirects to it. */
  readonly cors: boolean;
  /** The key for what is at rest. @default S3's own */
  readonly key: IKey | undefined;
};

const lifecycleRules: LifecycleRule[] = [
  {
    id: 'inbox',
    prefix: prefixes.inbox,
    expiration: Duration.days(14),
    noncurrentVersionExpiration: Duration.days(1),
  },
  // An index can be made again from the table at any time.
  { id: 'index', prefix: prefixes.index, noncurrentVersionExpiration: Duration.days(1) },
  // It is put again before that where it is still asked for (shared/merged-index.ts).
  {
    id: 'merged',
    prefix: mergedPrefix,
    expiration: Duration.days(1),
    noncurrentVersionExpiration: Duration.days(1),
  },
  // What was deleted by mistake can be brought back this long.
  { id: 'charts', prefix: prefixes.charts, noncurrentVersionExpiration: Duration.days(90) },
  { id: 'files', prefix: prefixes.files, noncurrentVersionExpiration: Duration.days(90) },
  {
    id: 'leftovers',
    abortIncompleteMultipartUploadAfter: Duration.days(1),
    expiredObjectDeleteMarker: true,
  },
];

/**
 * The bucket of packages, provenance, chart files, indexes and uploads in waiting. Private, and kept like
 * the table; it is reached through the functions and the URLs they sign, over TLS alone.
 */
export class ChartBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, { cors, key }: ChartBucketProps) {
    super(scope, id);
    this.bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      ...(key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : // One call to KMS for many objects, not one for each.
          { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
      enforceSSL: true,
      versioned: true,
      lifecycleRules,
      ...(cors && { cors: [bucketCors] }),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }
}
