import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

/** Where the password lies that the admin's account begins with. */
export type AdminSecret = {
  readPassword(): Promise<string>;
};

/**
 * The secret in Secrets Manager: JSON with `password`, and `username` beside it, the layout that its rotation
 * writes. The SDK reads AWS_ENDPOINT_URL_SECRETS_MANAGER by itself.
 */
export function adminSecret(arn: string): AdminSecret {
  const client = new SecretsManagerClient({
    maxAttempts: 3,
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  return {
    async readPassword() {
      const { SecretString: text = '' } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
      return parsePassword(text);
    },
  };
}

/** @throws Error that never repeats the secret */
function parsePassword(text: string): string {
  const { password } = parseObject(text);
  // An empty password would open the house to whoever knows the account's name.
  if (typeof password === 'string' && password !== '') return password;
  throw new Error('the admin secret does not hold JSON with a "password"');
}

function parseObject(text: string): { password?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    // The parser's own message quotes the text.
    return {};
  }
}
