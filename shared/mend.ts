import { gzipSync } from 'node:zlib';
import { upkeep } from './domain/audit.ts';
import { type ChartPackage, readPackage } from './domain/chart-package.ts';
import { digestOf } from './domain/digest.ts';
import { Fault } from './domain/fault.ts';
import { filesKey, type VersionId } from './domain/object-keys.ts';
import type { Finding } from './findings.ts';
import { removeIndex } from './published-index.ts';
import type { IndexDependencies } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PackageRecord, ProvenanceRecord, VersionStore } from './store/version-store.ts';

export type MendDependencies = Pick<IndexDependencies, 'clock' | 'newId'> & {
  readonly versions: Pick<VersionStore, 'get' | 'commit' | 'abandon' | 'restore'>;
  readonly objects: Pick<ObjectStore, 'get' | 'put' | 'exists' | 'listVersions' | 'remove' | 'removeForGood'>;
};

/** `later`: by the index that is built anew once everything else is mended. */
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
      await removeIndex(objects, finding.folder);
      return 'yes';
    case 'files_lost':
      return await extractFiles(objects, finding.key, await livePackage(dependencies, finding));
    case 'version_lost':
      return finding.isDoubtful ? 'no' : await restoreVersion(dependencies, finding);
    case 'index_differs':
    case 'index_lost':
    case 'pointer_lost':
    case 'index_shrank':
    case 'pointer_behind':
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
  if (key === undefined || filesKey(key) !== files) return 'no';
  const chart = await readPackageAt(objects, key);
  if (chart === undefined) return 'no';
  await objects.put(files, gzipSync(JSON.stringify(chart.files)), { contentType: 'application/gzip' });
  return 'yes';
}

/** @returns undefined if it is lost, or is no package any more */
async function readPackageAt(
  objects: MendDependencies['objects'],
  key: string,
): Promise<ChartPackage | undefined> {
  const bytes = await objects.get(key);
  try {
    return bytes && (await readPackage(bytes));
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** Makes a version's item out of its package: the table has lost what it knew of it. */
async function restoreVersion(
  { versions, objects, clock, newId }: MendDependencies,
  lost: Extract<Finding, { kind: 'version_lost' }>,
): Promise<Mended> {
  const key = lost.keys.find((each) => each.endsWith('.tgz'));
  const chart = key === undefined ? undefined : await readPackageAt(objects, key);
  if (key === undefined || chart?.digest !== lost.digest) return 'no';
  const { digest, sizeBytes, entry, files } = chart;
  await objects.put(filesKey(key), gzipSync(JSON.stringify(files)), { contentType: 'application/gzip' });
  const live: PackageRecord = { digest, sizeBytes, entry, key, created: lost.created };
  const newest = await newestProvenance(objects, lost);
  // One that the table knows was acknowledged after the loss.
  const known = newest && (await versions.get(lost))?.provenance;
  const provenance = known?.package === digest ? known : newest;
  const at = new Date(clock.now()).toISOString();
  const change = { id: newId(), at, by: upkeep, action: 'restored', digest } as const;
  return (await versions.restore(lost, live, { provenance, instead: lost.instead, change })) ? 'yes' : 'no';
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
