import { S3Client } from '@aws-sdk/client-s3';
import { bucket } from './bucket.ts';
import type { ObjectStore } from './object-store.ts';
import { ownS3Endpoint } from './s3-endpoint.ts';

/** As for the client of DynamoDB: from the environment alone, one in an execution environment, and within its 29 s. */
export function s3Client(): S3Client {
  return new S3Client({
    maxAttempts: 3, // 3 × 8 s and less than 1 s of pauses
    requestHandler: {
      connectionTimeout: 1_000,
      // Ends when the headers of the answer are there; a large index may take seconds to send.
      requestTimeout: 8_000,
      throwOnRequestTimeout: true,
      // A body that stalls: no byte for this long.
      socketTimeout: 8_000,
    },
    // An endpoint of one's own is one host name; buckets are in its path.
    forcePathStyle: ownS3Endpoint(process.env) !== undefined,
  });
}

/** The bucket with a client of its own. */
export function s3Bucket(bucketName: string): ObjectStore {
  return bucket(s3Client(), bucketName);
}
