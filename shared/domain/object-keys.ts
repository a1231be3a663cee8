import { mergedPrefixes, prefixes } from '../contract.ts';
import { type ChartName, isChartName } from './chart-name.ts';
import type { Digest } from './digest.ts';
import { parseRepository, type Repository } from './repository.ts';
import { type ChartVersion, isChartVersion } from './version.ts';

/**
 * The layout of the bucket. A key never holds two contents: each names the reservation (or the upload)
 * that wrote it, so that a slow delete of an old object cannot take the bytes of the same package
 * published again.
 *
 *     charts/<repository>/-/<name>/<version>/<digest>-<reservation id>.tgz
 *     charts/<repository>/-/<name>/<version>/<package digest>-<own id>.tgz.prov
 *     files/<repository>/-/<name>/<version>/<digest>-<reservation id>.json.gz
 *     index/<repository>/-/<sequence>-<id>/index.yaml   and   …/ranges.json, …/charts.json, …/charts-<offset>-<charts>.json, …/project-charts.json
 *     inbox/<repository>/-/<upload id>.tgz   and   …/rebuild
 *     rejected/<repository>/-/<as it was called in the inbox>
 *     merged/projects/<digest of what it is made of>/index.yaml   and   merged/chart/<digest>/index.yaml
 *
 * The root repository's keys begin with `charts/-/`. A segment cannot be `-`, so `/-/` ends the path.
 */
export type VersionId = {
  readonly repository: Repository;
  readonly name: ChartName;
  readonly version: ChartVersion;
};

const inRepository = (prefix: string, repository: Repository) =>
  repository === '' ? `${prefix}-/` : `${prefix}${repository}/-/`;

// S3 events and URLs treat '+' specially. '_' is in no version, so the change can be undone; OCI tags do the same.
const versionSegment = (version: ChartVersion) => version.replaceAll('+', '_');

/** What the keys of a version's packages and provenance files begin with. */
export const versionFolder = ({ repository, name, version }: VersionId) =>
  `${inRepository(prefixes.charts, repository)}${name}/${versionSegment(version)}/`;

/** What the keys of all charts of a repository begin with: packages and provenance files, and chart files. */
export const chartFolders = (repository: Repository) => ({
  charts: inRepository(prefixes.charts, repository),
  files: inRepository(prefixes.files, repository),
});

/** What the keys of everything begin with that the bucket holds of a repository. */
export const repositoryFolders = (repository: Repository): readonly string[] =>
  Object.values(prefixes).map((prefix) => inRepository(prefix, repository));

export function packageKey(id: VersionId, digest: Digest, reservation: string): string {
  return `${versionFolder(id)}${digest}-${reservation}.tgz`;
}

/** What the keys of all packages of a version with these bytes begin with, and of its provenance files. */
export function packagesOf(id: VersionId, digest: Digest): string {
  return `${versionFolder(id)}${digest}-`;
}

/** The reservation that wrote a package, out of its key. */
export function reservationOf(key: string): string {
  // A digest is hexadecimal, so the first '-' of the file name ends it.
  const file = key.slice(key.lastIndexOf('/') + 1, -'.tgz'.length);
  return file.slice(file.indexOf('-') + 1);
}

export function provenanceKey(id: VersionId, packageDigest: Digest, own: string): string {
  return `${versionFolder(id)}${packageDigest}-${own}.tgz.prov`;
}

/** The key of what was extracted from a package: readme, values, templates (ChartFiles, gzipped JSON). */
export function filesKey(key: string): string {
  return `${prefixes.files}${key.slice(prefixes.charts.length, -'.tgz'.length)}.json.gz`;
}

/** What the keys of all indexes of a repository begin with. */
export const indexFolders = (repository: Repository) => inRepository(prefixes.index, repository);

export function indexFolder(repository: Repository, sequence: number, id: string): string {
  return `${indexFolders(repository)}${sequence}-${id}/`;
}

/**
 * An index that is begun without a pointer: the first of all, or the first after a pointer was lost. Many may
 * be begun at once; they get the same sequence, and that one exists does not show that there was a pointer.
 */
export function firstIndexFolder(repository: Repository, sequence: number, id: string): string {
  return indexFolder(repository, sequence, `${first}${id}`);
}

const first = 'first-';

/** What the key of an index's object says; undefined for what is none. */
export function readIndexKey(
  key: string,
): { folder: string; sequence: number; isFirst: boolean } | undefined {
  const [, folder = '', sequence, id = ''] = /^(.*\/-\/(\d+)-([^/]+)\/)[^/]+$/.exec(key) ?? [];
  if (sequence === undefined) return undefined;
  return { folder, sequence: Number(sequence), isFirst: id.startsWith(first) };
}

/**
 * Ends the path of a repository in every key. A listing by it gives the folder of each repository once, if
 * its prefix has no slash at the end: the root repository's path is empty.
 */
export const endOfRepository = '/-/';

/** @returns the repository of such a folder; undefined for one that Chartroom does not make */
export function readRepositoryFolder(folder: string): Repository | undefined {
  const match = /^[a-z]+\/(?:(.+)\/)?-\/$/.exec(folder);
  return match === null ? undefined : readRepository(match[1]);
}

/** An object put here asks the indexer to build the repository's index anew. */
export function rebuildRequestKey(repository: Repository): string {
  return `${inRepository(prefixes.inbox, repository)}rebuild`;
}

/** Where the merged index lies of which the digest decides every byte. */
export const mergedKey = (digest: string) => `${mergedPrefixes.mergedProjects}${digest}/index.yaml`;

/** Where the index of one chart lies that has this digest. */
export const chartIndexKey = (digest: string) => `${mergedPrefixes.mergedChart}${digest}/index.yaml`;

/** Where an upload through the bucket is put. */
export function uploadKey(repository: Repository, uploadId: string): string {
  return `${inRepository(prefixes.inbox, repository)}${uploadId}.tgz`;
}

/** What the keys of all uploads of a repository begin with. */
export const inboxFolder = (repository: Repository) => inRepository(prefixes.inbox, repository);

/** Where an object of the inbox goes that is refused. */
export function rejectedKey(key: string): string {
  return `${prefixes.rejected}${key.slice(prefixes.inbox.length)}`;
}

/** What an object's key says: whose it is, and, where it is a package, of which version. */
export type KeyReading = {
  readonly repository: Repository;
  /** Of the inbox: `upload`, what can be published; `stray`, what cannot. */
  readonly kind: 'package' | 'rebuild' | 'upload' | 'stray' | 'other';
  readonly version?: VersionId;
};

/**
 * Reads a key of `charts/` or `inbox/`.
 *
 * @returns undefined for a key that Chartroom does not make (an operator may put anything into a bucket)
 */
export function readKey(key: string): KeyReading | undefined {
  const match = /^(charts|inbox)\/(?:(.+?)\/)?-\/(.+)$/.exec(key);
  if (match === null) return undefined;
  const repository = readRepository(match[2]);
  const rest = match[3] ?? '';
  if (repository === undefined) return undefined;
  if (match[1] === 'inbox') {
    // Tools that show folders put an empty object for each, its key ending in '/'.
    if (rest.endsWith('/')) return { repository, kind: 'other' };
    if (rest === 'rebuild') return { repository, kind: 'rebuild' };
    // What lies deeper may be meant for another repository.
    return { repository, kind: /^[^/]+\.(tgz|prov)$/.test(rest) ? 'upload' : 'stray' };
  }
  const [name = '', segment = '', file = ''] = rest.split('/');
  const version = segment.replaceAll('_', '+');
  if (!file.endsWith('.tgz') || !isChartName(name) || !isChartVersion(version)) {
    return { repository, kind: 'other' };
  }
  return { repository, kind: 'package', version: { repository, name, version } };
}

function readRepository(path: string | undefined): Repository | undefined {
  try {
    return parseRepository(path === undefined ? [] : path.split('/'));
  } catch {
    return undefined;
  }
}
