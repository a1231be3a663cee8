/** Where S3 answers, if not at AWS: the local runner, a VPC endpoint. The SDK's clients read the same variables. */
export function ownS3Endpoint(environment: NodeJS.ProcessEnv): string | undefined {
  return environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL'];
}
