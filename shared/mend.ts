import { gzipSync } from 'node:zlib';
import { readPackage } from './domain/chart-package.ts';
import { digestOf } from './domain/digest.ts';
import { filesKey, type VersionId } from './domain/object-keys.ts';
import type { Finding } from './findings.ts';
import { removeIndex } from './published-index.ts';
import type { IndexDependencies } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PackageRecord, ProvenanceRecord, VersionStore } from './store/version-store.ts';

export type MendDependencies = Pick<IndexDependencies, 'clock'> & {
  readonly versions: Pick<VersionStore, 'get' | 'commit' | 'abandon' | 'restore'>;
  readonly objects: Pick<
    ObjectStore,
    'get' | 'put' | 'head' | 'exists' | 'listVersions' | 'remove' | 'removeForGood'
  >;
};

/** `later`: the index is to be built anew once everything else is mended. */
export type Mended = 'yes' | 'no' | 'later';

/** What can always be put right: nothing is decided by it that was not decided before. */
const safe: ReadonlySet<Finding['kind']> = new Set([
  'reservation_expired',
  'object_unnamed',
  'index_superseded',
  'index_differs',
  'index_lost',
  'pointer_lost',
  'files_lost',
]);

export type Thoroughness = 'nothing' | 'safe' | 'everything';

/**
 * Puts one finding right, if that is allowed and possible. May be done twice, and beside everything else.
 *
 * @param thoroughness `everything` also brings back what the table has lost, and lets go of the evidence
 */
export async function mend(
  dependencies: MendDependencies,
  finding: Finding,
  thoroughness: Thoroughness,
): Promise<Mended> {
  if (thoroughness === 'nothing' || (thoroughness === 'safe' && !safe.has(finding.kind))) return 'no';
  const { objects } = dependencies;
  switch (finding.kind) {
    case 'reservation_expired':
      return await endReservation(dependencies, finding);
    case 'object_unnamed':
      await objects.remove([finding.key]);
      return 'yes';
    case 'index_superseded':
    case 'pointer_behind':
      await removeIndex(objects, finding.folder);
      return 'yes';
    case 'files_lost':
      return await extractFiles(objects, finding.key, await livePackage(dependencies, finding));
    case 'version_lost':
      return finding.package === 'there' ? await restoreVersion(dependencies, finding) : 'no';
    case 'index_differs':
    case 'index_lost':
    case 'pointer_lost':
    case 'index_shrank':
      return 'later';
    case 'package_lost':
    case 'provenance_lost':
    case 'object_unclaimed':
      return 'no';
  }
}

/** As its event would have done it: with its package there a version is committed, else given up. */
async function endReservation(
  { versions, objects, clock }: MendDependencies,
  id: VersionId,
): Promise<Mended> {
  const { pending } = (await versions.get(id)) ?? {};
  if (pending === undefined || pending.expires > clock.now()) return 'no';
  const found = await objects.exists(pending.key);
  await (found ? versions.commit(id, pending) : versions.abandon(id, pending.key));
  return 'yes';
}

async function livePackage({ versions }: MendDependencies, id: VersionId) {
  return (await versions.get(id))?.live?.key;
}

async function extractFiles(
  objects: MendDependencies['objects'],
  files: string,
  key: string | undefined,
): Promise<Mended> {
  const bytes = key === undefined || filesKey(key) !== files ? undefined : await objects.get(key);
  if (bytes === undefined) return 'no';
  const chart = await readPackage(bytes);
  await objects.put(files, gzipSync(JSON.stringify(chart.files)), { contentType: 'application/gzip' });
  return 'yes';
}

/** Makes a version's item out of its package: the table has lost every trace of it. */
async function restoreVersion(
  { versions, objects }: MendDependencies,
  lost: Extract<Finding, { kind: 'version_lost' }>,
): Promise<Mended> {
  const key = await choosePackage(objects, lost);
  const bytes = key && (await objects.get(key));
  if (key === undefined || !bytes) return 'no';
  const { digest, sizeBytes, entry, files } = await readPackage(bytes);
  if (digest !== lost.digest) return 'no';
  await objects.put(filesKey(key), gzipSync(JSON.stringify(files)), { contentType: 'application/gzip' });
  const live: PackageRecord = { digest, sizeBytes, entry, key, created: lost.created };
  return (await versions.restore(lost, live, await newestProvenance(objects, lost))) ? 'yes' : 'no';
}

/** Of several packages with the same bytes the one that was published at the listed instant, else the newest. */
async function choosePackage(
  objects: MendDependencies['objects'],
  { keys, created }: Extract<Finding, { kind: 'version_lost' }>,
): Promise<string | undefined> {
  const packages = keys.filter((key) => key.endsWith('.tgz'));
  for (const key of packages.length > 1 ? packages : []) {
    if ((await objects.head(key))?.metadata['created'] === created) return key;
  }
  return packages.at(-1);
}

/** The provenance file that was put last for the package. */
async function newestProvenance(
  objects: MendDependencies['objects'],
  { keys, digest }: Extract<Finding, { kind: 'version_lost' }>,
): Promise<ProvenanceRecord | undefined> {
  const key = keys.filter((each) => each.endsWith('.prov')).at(-1);
  const bytes = key && (await objects.get(key));
  return key && bytes ? { package: digest, digest: digestOf(bytes), key } : undefined;
}
