/**
 * In the bundles this is all of `@aws-sdk/credential-provider-node` (infra/bundle.ts): what the clients ask who they
 * are. Asked anew for each signature, so nothing has to expire.
 *
 * @throws Error where the environment has no credentials
 */
export function defaultProvider() {
  return async () => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
    const { AWS_SESSION_TOKEN: sessionToken } = process.env;
    if (!accessKeyId || !secretAccessKey) throw new Error('there are no AWS credentials in the environment');
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
  };
}
