import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Name and password as they come with a request, or lie in the secret. */
export type Credentials = { readonly username: string; readonly password: string };

/** Where the admin's password is kept. */
export type AdminSecret = {
  read(): Promise<Credentials>;
};

/**
 * The secret in Secrets Manager: JSON with `username` and `password`, the layout that its rotation writes.
 * The SDK reads AWS_ENDPOINT_URL_SECRETS_MANAGER by itself.
 */
export function adminSecret(arn: string): AdminSecret {
  // All attempts together stay below the gateway's 30 s.
  const client = new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  return {
    async read() {
      const { SecretString: text = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
      return parseCredentials(text);
    },
  };
}

/** @throws Error that never repeats the secret */
function parseCredentials(text: string): Credentials {
  const { username, password } = parseObject(text);
  // An empty password would open the house to whoever knows the account's name.
  if (typeof username !== 'string' || typeof password !== 'string' || username === '' || password === '') {
    throw new Error('the admin secret does not hold JSON with "username" and "password"');
  }
  return { username, password };
}

function parseObject(text: string): { username?: unknown; password?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    // The parser's own message quotes the text.
    return {};
  }
}
