import { gunzipSync } from 'node:zlib';
import type { ChartName } from './domain/chart-name.ts';
import type { ChartFiles } from './domain/chart-package.ts';
import { type LiveVersion, newestFirst } from './domain/entry.ts';
import { Fault } from './domain/fault.ts';
import { filesKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { isChartVersion, selectVersion } from './domain/version.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PackageRecord, VersionItem, VersionStore } from './store/version-store.ts';

/** A version that readers see, with where its bytes are, and which labels it has. */
type ReadableVersion = LiveVersion & PackageRecord & Pick<VersionItem, 'labels'>;

async function* readable(items: AsyncIterable<VersionItem>): AsyncGenerator<ReadableVersion> {
  for await (const { name, version, live, labels } of items) {
    if (live !== undefined) yield { name, version, ...live, ...(labels && { labels }) };
  }
}

/**
 * The versions of one chart, newest first.
 *
 * @returns none if there is no such chart
 */
export async function readChart(
  versions: Pick<VersionStore, 'ofChart'>,
  repository: Repository,
  name: ChartName,
): Promise<readonly ReadableVersion[]> {
  const found: ReadableVersion[] = [];
  for await (const version of readable(versions.ofChart(repository, name))) found.push(version);
  return found.sort(newestFirst);
}

/**
 * Finds the version that a client means by `latest`, a version's text or a range. The messages are
 * ChartMuseum's, which clients print.
 *
 * @throws Fault `chart_not_found` or `version_not_found`
 */
export async function readVersion(
  versions: Pick<VersionStore, 'ofChart'>,
  repository: Repository,
  name: ChartName,
  wanted: string,
): Promise<ReadableVersion> {
  const chart = await readChart(versions, repository, name);
  if (chart.length === 0) throw new Fault('chart_not_found', 'no chart name found');
  const selected = selectVersion(
    chart.map(({ version }) => version),
    wanted,
  );
  const found = chart.find(({ version }) => version === selected);
  if (found !== undefined) return found;
  const shown = wanted === 'latest' ? '' : wanted;
  throw new Fault('version_not_found', `no chart version found for ${name}-${shown}`);
}

/**
 * What was extracted from the package of a version, found as {@link readVersion} finds it.
 *
 * @throws Fault `chart_not_found` or `version_not_found`
 */
export async function readFiles(
  { versions, objects }: { versions: Pick<VersionStore, 'ofChart'>; objects: Pick<ObjectStore, 'get'> },
  repository: Repository,
  name: ChartName,
  wanted: string,
): Promise<ChartFiles> {
  const find = () => readVersion(versions, repository, name, wanted);
  return (await withFiles(objects, find)).files;
}

/** A version with what Harbor shows of it beside its entry. */
type VersionWithDetails = ReadableVersion & { readonly files: ChartFiles; readonly signed: boolean };

/**
 * One version by its exact text, as Harbor's clients name it.
 *
 * @throws Fault `version_not_found`
 */
export async function readDetails(
  { versions, objects }: { versions: Pick<VersionStore, 'get'>; objects: Pick<ObjectStore, 'get'> },
  repository: Repository,
  name: ChartName,
  version: string,
): Promise<VersionWithDetails> {
  return await withFiles(objects, async () => {
    const item = isChartVersion(version) ? await versions.get({ repository, name, version }) : undefined;
    if (item?.live === undefined) {
      throw new Fault('version_not_found', `chart ${name} has no version ${version}`);
    }
    const { live, provenance, labels } = item;
    // A provenance file counts while its package is live.
    const signed = provenance?.package === live.digest;
    return { name, version: item.version, ...live, signed, ...(labels && { labels }) };
  });
}

/** Adds to a version what was extracted from its package. */
async function withFiles<Found extends Pick<PackageRecord, 'key'>>(
  objects: Pick<ObjectStore, 'get'>,
  find: () => Promise<Found>,
): Promise<Found & { readonly files: ChartFiles }> {
  let missing: string | undefined;
  for (;;) {
    const found = await find();
    const key = filesKey(found.key);
    if (key === missing) throw new Error(`${key} is missing in the bucket`);
    const object = await objects.get(key);
    if (object !== undefined) {
      return { ...found, files: JSON.parse(gunzipSync(object).toString()) as ChartFiles };
    }
    // Deleted or overwritten between the two reads: then the table names another key by now, or none.
    missing = key;
  }
}
