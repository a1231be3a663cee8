/** What cannot be meant, or cannot be done here: told to whoever asked, without a stack. */
export class UsageError extends Error {}

/** Who asks; nobody where access is open. */
export type Credentials = { readonly user: string; readonly password: string };

/** What `Authorization` says for an account. */
export const basic = ({ user, password }: Credentials): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/**
 * Joins a name of the command line with the password of the environment, where no list of processes shows it.
 *
 * @throws UsageError for one without the other
 */
export function credentialsOf(
  user: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Credentials | undefined {
  const password = environment['CHARTROOM_PASSWORD'];
  if (user === undefined) return undefined;
  if (password === undefined || password === '') {
    throw new UsageError(`the password of ${user} is read from CHARTROOM_PASSWORD, which is not set`);
  }
  return { user, password };
}

/**
 * The address of a Chartroom, without a slash at its end.
 *
 * @throws UsageError
 */
export function parseAddress(text: string | undefined): URL {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new UsageError('the address of a Chartroom is needed, such as https://charts.example.com');
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('no password belongs in the address: use --user and CHARTROOM_PASSWORD');
  }
  return url;
}
