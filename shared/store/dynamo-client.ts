import { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/**
 * A client from the environment alone: the SDK reads AWS_REGION, the credentials and AWS_ENDPOINT_URL_DYNAMODB by
 * itself. Make one in an execution environment: it keeps its connections open for the next request.
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
