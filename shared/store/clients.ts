import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';

/**
 * AWS clients from the environment alone: the SDK reads AWS_REGION, the credentials and
 * AWS_ENDPOINT_URL_DYNAMODB / AWS_ENDPOINT_URL_S3 by itself. Make one of each in an execution environment:
 * a client keeps its connections open for the next request.
 *
 * A function has 29 s (the gateway gives up at 30). All attempts of one call together stay below that, so
 * that a connection which hangs ends as an error inside the function, which can be logged and answered.
 */
export function dynamoClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 4, // 4 × 5 s and less than 1 s of pauses
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
}

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
    // An endpoint of one's own (the local runner, a VPC endpoint) is one host name; buckets are in its path.
    forcePathStyle: hasEndpointOfItsOwn(process.env),
  });
}

function hasEndpointOfItsOwn(environment: NodeJS.ProcessEnv): boolean {
  return (environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL']) !== undefined;
}
