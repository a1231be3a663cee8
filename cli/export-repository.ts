import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { load } from 'js-yaml';
import { inParallel } from '../shared/async-iteration.ts';
import { type ChartName, parseChartName } from '../shared/domain/chart-name.ts';
import { isDigest } from '../shared/domain/digest.ts';
import type { LiveVersion } from '../shared/domain/entry.ts';
import { renderFragment, renderIndex } from '../shared/domain/index-file.ts';
import { packageFileName } from '../shared/domain/package-file.ts';
import { parseRepository, type Repository } from '../shared/domain/repository.ts';
import { parseChartVersion } from '../shared/domain/version.ts';
import { yamlSafeJson } from '../shared/domain/yaml-safe-json.ts';
import { UsageError } from './command-line.ts';
import { pathIn, Refusal, type Remote } from './remote.ts';

/** Enough to hide how long each answer takes, and far from what an account may have at once. */
const AT_ONCE = 8;

/** What a plain web server needs: nothing stands before the addresses, which are relative. */
const PLAIN = { format: 'json', chartUrl: '', contextPath: '' } as const;

/** Ends the name of a file that is not whole. */
const PART = '.part';

export type Exported = {
  readonly versions: number;
  /** Files that were fetched now; the others were there already. */
  readonly fetched: number;
  readonly sizeBytes: number;
  /** Files of other bytes that were there under the name of one that was fetched. */
  readonly replaced: readonly string[];
  /** What could not be fetched, each with the reason; where there is some, the index is not written. */
  readonly failures: readonly string[];
  /** Files beside the packages that belong to no version; they are left alone. */
  readonly strangers: readonly string[];
};

type RemoteIndex = {
  readonly generated: string;
  readonly entries: Readonly<Record<string, readonly Entry[]>>;
};

type Entry = {
  readonly version: string;
  readonly digest: string;
  readonly created: string;
  readonly urls: unknown;
};

/**
 * Writes a repository as plain files: every package and provenance file, byte for byte, and the index behind them. What
 * is there with the right digest is kept, so whoever was cut off begins again.
 *
 * @param folder of this repository; its files lie there as their addresses do. It is made when there is something for it
 * @param emptyToo writes the index of a repository in which nothing is published
 * @returns undefined where nothing is published, and nothing was written
 */
export async function exportRepository(
  remote: Remote,
  repository: Repository,
  folder: string,
  { emptyToo }: { readonly emptyToo: boolean },
): Promise<Exported | undefined> {
  const { generated, entries } = await readIndex(remote, pathIn(repository, 'index.yaml'));
  const names = Object.keys(entries).map(parseChartName);
  if (names.length === 0 && !emptyToo) return undefined;
  const charts = path.join(folder, 'charts');
  await makeFolder(charts);
  for (const file of await readdir(charts)) {
    // Of a run that was cut off.
    if (file.endsWith(PART)) await rm(path.join(charts, file), { force: true });
  }
  const failures: string[] = [];
  const versions = new Map<ChartName, readonly LiveVersion[]>();
  // The index may leave older versions out, and that of one chart has all.
  await inParallel(
    names,
    (name) =>
      noting(failures, `chart ${name}`, async () => {
        versions.set(name, await versionsOf(remote, repository, name));
      }),
    AT_ONCE,
  );

  const written = { fetched: 0, sizeBytes: 0 };
  const replaced: string[] = [];
  const named = new Set<string>();
  const keep = async (file: string, digest: string) => {
    named.add(file);
    const { isNew, wasThere, sizeBytes } = await fetchInto(path.join(charts, file), digest, () =>
      remote.get(pathIn(repository, 'charts', file)),
    );
    if (isNew && wasThere) replaced.push(file);
    written.fetched += isNew ? 1 : 0;
    written.sizeBytes += sizeBytes;
  };
  const all = [...versions.values()].flat();
  await inParallel(
    all,
    async ({ name, version, digest }) => {
      const file = packageFileName(name, version);
      await noting(failures, `${name} ${version}`, async () => {
        await keep(file, digest);
        const provenance = await remote.digest(pathIn(repository, 'charts', `${file}.prov`));
        if (provenance !== undefined) await keep(`${file}.prov`, provenance);
        // One for other bytes would have Helm refuse the package.
        else await rm(path.join(charts, `${file}.prov`), { force: true });
      });
    },
    AT_ONCE,
  );
  const strangers = (await readdir(charts)).filter((file) => !named.has(file));
  if (failures.length === 0) await replace(path.join(folder, 'index.yaml'), render(versions, generated));
  return { versions: all.length, ...written, replaced, failures, strangers };
}

async function noting(failures: string[], what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    failures.push(`${what}: ${reasonOf(error)}`);
  }
}

/** `fetch` says of a lost connection that it failed, and why in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

async function readIndex(remote: Remote, address: string): Promise<RemoteIndex> {
  const text = await (await remote.get(address)).text();
  const { generated = '', entries = {} } = Object(text.startsWith('{') ? JSON.parse(text) : load(text));
  return { generated: parseInstant(generated), entries };
}

/** Every version of a chart; none where it was deleted meanwhile. */
async function versionsOf(
  remote: Remote,
  repository: Repository,
  name: ChartName,
): Promise<readonly LiveVersion[]> {
  try {
    const { entries } = await readIndex(remote, pathIn(repository, 'charts', name, 'index.yaml'));
    return (entries[name] ?? []).map((entry) => parseEntry(name, entry));
  } catch (error) {
    if (error instanceof Refusal && error.status === 404) return [];
    throw error;
  }
}

/** The names of files are made of what is parsed here, so that nothing is written outside of the folder. */
function parseEntry(name: ChartName, entry: Entry): LiveVersion {
  const { digest, created, urls: _, ...rest } = entry;
  if (!isDigest(digest)) throw new Error(`version ${rest.version} has no digest in the index`);
  return {
    name,
    version: parseChartVersion(rest.version),
    digest,
    created: parseInstant(created),
    entry: yamlSafeJson(rest),
  };
}

function parseInstant(text: string): string {
  if (!/^[\d:.TZ+-]+$/.test(text)) throw new Error(`${JSON.stringify(text)} in the index is no instant`);
  return text;
}

function render(versions: ReadonlyMap<ChartName, readonly LiveVersion[]>, generated: string): Uint8Array {
  const root = parseRepository([]);
  const fragments = [...versions].flatMap(([name, live]) => renderFragment(name, live, PLAIN, root) ?? []);
  return renderIndex(fragments, generated, PLAIN).bytes;
}

/** Fetches a file, unless it is there. Under its name it is only ever whole. */
async function fetchInto(
  file: string,
  digest: string,
  get: () => Promise<Response>,
): Promise<{ readonly isNew: boolean; readonly wasThere: boolean; readonly sizeBytes: number }> {
  const present = await digestOfFile(file);
  const wasThere = present !== undefined;
  if (present === digest) return { isNew: false, wasThere, sizeBytes: 0 };
  const { body } = await get();
  if (body === null) throw new Error('the answer is empty');
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const temporary = temporaryBeside(file);
  try {
    await pipeline(
      Readable.fromWeb(body as ReadableStream<Uint8Array>),
      async function* (pieces: AsyncIterable<Uint8Array>) {
        for await (const piece of pieces) {
          hash.update(piece);
          sizeBytes += piece.length;
          yield piece;
        }
      },
      createWriteStream(temporary),
    );
    const actual = hash.digest('hex');
    if (actual !== digest) throw new Error(`its digest is ${actual}, and not ${digest}`);
    await rename(temporary, file);
  } finally {
    await rm(temporary, { force: true });
  }
  return { isNew: true, wasThere, sizeBytes };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' && codeOf(error) !== 'ENOTDIR') throw error;
    throw new UsageError(`${folder} cannot be a folder: a file is there`);
  }
}

/**
 * Sees that what an export would replace was written by one: an index as JSON, whose packages lie beside it.
 *
 * @param folder of a repository
 * @throws UsageError for another's index, or a file in the place of the folder
 */
export async function mustBeOurs(folder: string): Promise<void> {
  const file = path.join(folder, 'index.yaml');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (codeOf(error) === 'ENOTDIR') throw new UsageError(`${folder} cannot be a folder: a file is there`);
    throw error;
  }
  if (!isOurIndex(text)) {
    throw new UsageError(`${file} was not written by an export, and is left as it is: name another folder`);
  }
}

function isOurIndex(text: string): boolean {
  try {
    const { entries = {} } = Object(JSON.parse(text)) as { readonly entries?: RemoteIndex['entries'] };
    const urls = Object.values(entries).flatMap((versions) => versions.flatMap((each) => each.urls));
    return urls.every((url) => typeof url === 'string' && /^charts\/[^/]+$/.test(url));
  } catch {
    return false; // no JSON, or of another shape
  }
}

async function replace(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryBeside(file);
  await writeFile(temporary, bytes);
  await rename(temporary, file);
}

const temporaryBeside = (file: string) => `${file}.${randomUUID()}${PART}`;

/** @returns undefined for a file that is not there */
async function digestOfFile(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return hash.digest('hex');
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined);
