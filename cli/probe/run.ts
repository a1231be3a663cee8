import { UsageError } from '../command-line.ts';
import { errorIn, noAnswer, reasonOf, whoAsks } from '../why.ts';
import { answers, indexes } from './answers.ts';
import type { Check, Package, Probe, Published, Seen, Shape } from './check.ts';
import { downloads } from './downloads.ts';
import type { Answer, Client } from './http.ts';
import { aForm, aPackage, digestOf } from './package.ts';
import { paths } from './paths.ts';
import { times } from './times.ts';
import { events, largeIndex, uploads } from './uploads.ts';

/** In this order: what was asked before is warm, and the last makes the index large. */
const checks: readonly Check[] = [
  ...times,
  ...answers,
  ...downloads,
  ...indexes,
  ...paths,
  ...uploads,
  ...events,
  largeIndex,
];

export type Row = Pick<Check, 'name' | 'expected'> & Seen;

export type Findings = {
  readonly rows: readonly Row[];
  /** Chartroom's own. */
  readonly version: string;
  /** Of AWS; undefined where nothing tells it. */
  readonly region: string | undefined;
  /** What could not be deleted, and why. */
  readonly left: readonly string[];
};

export type Task = { readonly client: Client; readonly repository: string; readonly signal: AbortSignal };

/**
 * Tries everything in a repository that is empty, and leaves it empty.
 *
 * @throws Error where nothing can be tried; nothing was published then
 */
export async function probe({ client, repository, signal }: Task): Promise<Findings> {
  const version = await versionOf(client);
  const closed = (await client.send('GET', '/-/whoami', { credentials: undefined })).status === 401;
  await prepare(client, repository);
  const published = publisher(client, repository);
  const rows: Row[] = [];
  let region: string | undefined;
  let left: readonly string[] = [];
  try {
    for (const { name, expected, look } of checks) {
      if (signal.aborted) break;
      const seen = await look({ client, closed, repository, ...published.ways }).catch(failure);
      rows.push({ name, expected, ...seen });
    }
    region = await regionOf(client, repository, published.first());
  } finally {
    left = await remove(client, repository, published.names);
  }
  return { rows, version, region, left };
}

const failure = (error: unknown): Seen => ({ verdict: 'differs', seen: reasonOf(error) });

const errorOf = ({ body }: Answer): string => errorIn(body.toString());

async function versionOf(client: Client): Promise<string> {
  const answer = await client.send('GET', '/info').catch((error: unknown) => {
    throw noAnswer(client.base, error);
  });
  const [, version] = /^\{"version":"([^"]+)"\}$/.exec(answer.body.toString()) ?? [];
  if (answer.status === 200 && version !== undefined) return version;
  throw new UsageError(`no Chartroom answers there: /info is ${answer.status}`);
}

/** Makes the repository where that is allowed, and sees that nothing is in it. */
async function prepare(client: Client, repository: string): Promise<void> {
  const made = await client.send('PUT', `/-/repositories/${repository}`);
  const refused = `${made.status} ${errorOf(made)}`;
  if (made.status === 401 || made.status === 429) {
    throw new UsageError(whoAsks(refused));
  }
  if (made.status === 409) throw new UsageError(`the repository ${repository} cannot be used: ${refused}`);
  const list = await client.send('GET', `/api/${repository}/charts`);
  if (list.status !== 200) {
    throw new UsageError(
      `the repository ${repository} cannot be made (${refused}) or read (${list.status} ${errorOf(list)})`,
    );
  }
  if (list.body.toString() !== '{}') {
    throw new UsageError(`the repository ${repository} is not empty: name another by --repository`);
  }
}

/** Publishes, and remembers what is to be deleted. */
function publisher(client: Client, repository: string) {
  const names = new Set<string>();
  let count = 0;
  let first: Package | undefined;
  const publish = async (shape: Shape = {}, { type, chunked, form }: Published = OCTETS) => {
    const { name = 'probe', description = 'a chart of the probe', metadata = '' } = shape;
    const version = `1.0.${count++}${metadata}`;
    names.add(name);
    const bytes = await aPackage({ name, version, description });
    const sent = form === true ? aForm({}, { field: 'chart', bytes }) : { type, body: bytes };
    const answer = await client.send('POST', `/api/${repository}/charts`, {
      headers: sent.type === undefined ? {} : { 'content-type': sent.type },
      body: sent.body,
      ...(chunked && { chunked }),
    });
    const { status } = answer;
    const published = { name, version, bytes, digest: digestOf(bytes), status, error: errorOf(answer) };
    if (status === 201) first ??= published;
    return published;
  };
  const ways: Pick<Probe, 'publish' | 'willPublish'> = {
    publish,
    willPublish: (name) => void names.add(name),
  };
  return { ways, names, first: () => first };
}

const OCTETS: Published = { type: 'application/octet-stream' };

/** The region that signed URLs are for. */
async function regionOf(
  client: Client,
  repository: string,
  published: Package | undefined,
): Promise<string | undefined> {
  if (published === undefined) return undefined;
  const { name, version } = published;
  const path = `/${repository}/charts/${name}-${version}.tgz`;
  const found = await client.send('GET', path).catch(() => undefined);
  const { location } = found?.headers ?? {};
  if (location === undefined) return undefined;
  // <key id>/<date>/<region>/s3/aws4_request
  return new URL(location, client.base).searchParams.get('X-Amz-Credential')?.split('/')[2];
}

async function remove(
  client: Client,
  repository: string,
  names: ReadonlySet<string>,
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const name of names) {
    const answer = await client
      .send('DELETE', `/api/${repository}/charts/${name}`)
      .catch((error: unknown) => reasonOf(error));
    if (typeof answer === 'string') left.push(`${name}: ${answer}`);
    else if (answer.status !== 200 && answer.status !== 404) {
      left.push(`${name}: ${answer.status} ${errorOf(answer)}`);
    }
  }
  return left;
}
