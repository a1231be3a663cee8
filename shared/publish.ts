import { gzipSync } from 'node:zlib';
import type { Clock } from './clock.ts';
import type { By } from './domain/audit.ts';
import { type ChartPackage, readPackage } from './domain/chart-package.ts';
import { Fault } from './domain/fault.ts';
import { filesKey, packageKey, provenanceKey, reservationOf, type VersionId } from './domain/object-keys.ts';
import { packageFileName } from './domain/package-file.ts';
import { type ProvenanceFile, parseProvenance } from './domain/provenance.ts';
import type { Repository } from './domain/repository.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PendingPackage, ProvenanceRecord, VersionStore } from './store/version-store.ts';

export type PublishDependencies = {
  readonly versions: VersionStore;
  readonly objects: Pick<ObjectStore, 'put'>;
  readonly clock: Clock;
  readonly newId: () => string;
};

export type PackageUpload = {
  readonly repository: Repository;
  readonly package: Uint8Array;
  /** The package's provenance file, when it came with one: both become visible at once. */
  readonly provenance?: Uint8Array;
  readonly overwrite: boolean;
  readonly by: By;
};

// Longer than any request. Safety does not rest on it: commit checks the key of the reservation.
const RESERVATION_MS = 60_000;

// How long an upload waits for the end of another one of the same version.
const WAIT_FOR_OTHER_MS = 5_000;
const LOOK_AGAIN_MS = 200;

/** An upload that was checked: bytes, and what they say. */
export type CheckedUpload = {
  readonly id: VersionId;
  readonly chart: ChartPackage;
  readonly bytes: Uint8Array;
  readonly provenance: { readonly file: ProvenanceFile; readonly bytes: Uint8Array } | undefined;
};

/**
 * Publishes a package: check, reserve, put the objects (the package last, so that whoever finds it may
 * commit), commit. When it returns, the version is in the next index that anybody reads.
 *
 * @throws Fault `invalid_…` for a package or provenance file that is refused, `version_exists`,
 *   `being_published` when another upload of the version does not end, `try_again` when the upload took
 *   longer than its reservation
 */
export async function publishPackage(
  dependencies: PublishDependencies,
  upload: PackageUpload,
): Promise<VersionId> {
  return await publishChecked(dependencies, await checkUpload(upload), upload);
}

export type PublishRules = {
  readonly overwrite: boolean;
  readonly by: By;
  /** The instant of publishing, where another than now is to be told: RFC 3339 in UTC with milliseconds. */
  readonly created?: string | undefined;
  /**
   * Called before the package of a reservation is put, this upload's own or one that it helps with. A Fault that
   * it throws ends the upload, and its own reservation.
   */
  readonly reserved?: (pending: PendingPackage) => Promise<void>;
};

/** The part of {@link publishPackage} that changes something. */
export async function publishChecked(
  dependencies: PublishDependencies,
  checked: CheckedUpload,
  rules: PublishRules,
): Promise<VersionId> {
  const { clock } = dependencies;
  const deadline = clock.now() + WAIT_FOR_OTHER_MS;
  for (;;) {
    if (await tryToPublish(dependencies, checked, rules)) return checked.id;
    if (clock.now() >= deadline) throw beingPublished(checked.id);
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

/** @throws Fault `invalid_…` for a package or provenance file that is refused */
export async function checkUpload(upload: Omit<PackageUpload, 'overwrite' | 'by'>): Promise<CheckedUpload> {
  const chart = await readPackage(upload.package);
  const id = { repository: upload.repository, name: chart.name, version: chart.version };
  const provenance = upload.provenance && readProvenance(chart, upload.provenance);
  return { id, chart, bytes: upload.package, provenance };
}

/**
 * Reads the provenance file of a package.
 *
 * @throws Fault `invalid_provenance` if it is none, or another's
 */
export function readProvenance(
  chart: ChartPackage,
  bytes: Uint8Array,
): NonNullable<CheckedUpload['provenance']> {
  const file = parseProvenance(bytes);
  const expected = packageFileName(chart.name, chart.version);
  const stated = packageFileName(file.name, file.version);
  if (stated !== expected) {
    throw new Fault('invalid_provenance', `the provenance file is for ${stated}, the package is ${expected}`);
  }
  if (file.package !== chart.digest) {
    throw new Fault(
      'invalid_provenance',
      `the provenance file states digest ${file.package} for ${expected}, the package has ${chart.digest}: sign the package that you upload`,
    );
  }
  return { file, bytes };
}

/** @returns false if another upload of the version is under way: look again later */
async function tryToPublish(
  dependencies: PublishDependencies,
  checked: CheckedUpload,
  { overwrite, by, created, reserved }: PublishRules,
): Promise<boolean> {
  const { versions, clock } = dependencies;
  const { id, chart } = checked;
  const now = clock.now();
  const pending = newReservation(dependencies, checked, { now, by, created });
  if (await versions.reserve(id, pending, { overwrite, now })) {
    try {
      await reserved?.(pending);
    } catch (error) {
      // After anything else another may go on with it, as if this upload had died here.
      if (error instanceof Fault) await versions.abandon(id, pending.key);
      throw error;
    }
    if (await finish(dependencies, checked, pending)) return true;
    throw new Fault('try_again', `the upload of ${id.name} ${id.version} took too long: send it again`, {
      retryAfterSeconds: 1,
    });
  }
  const item = await versions.get(id);
  if (item?.live !== undefined && !overwrite) throw versionExists(id, item.live.digest === chart.digest);
  if (item?.pending === undefined || !isSameUpload(item.pending, checked)) return false;
  await reserved?.(item.pending);
  // Somebody reserved the version for these very bytes, and may have died since: finishing its work is
  // faster and safer than waiting. The version is then the other's.
  if (!(await finish(dependencies, checked, item.pending))) return false;
  if (!overwrite) throw versionExists(id, true);
  return true;
}

function newReservation(
  { newId }: PublishDependencies,
  checked: CheckedUpload,
  { now, by, created }: Pick<PublishRules, 'by' | 'created'> & { readonly now: number },
): PendingPackage {
  const { id, chart, provenance } = checked;
  const at = new Date(now).toISOString();
  const reservation: PendingPackage = {
    digest: chart.digest,
    sizeBytes: chart.sizeBytes,
    entry: chart.entry,
    key: packageKey(id, chart.digest, newId()),
    created: created ?? at,
    expires: now + RESERVATION_MS,
    change: { id: newId(), at, by, action: 'published', digest: chart.digest },
  };
  if (provenance === undefined) return reservation;
  const record: ProvenanceRecord = {
    package: chart.digest,
    digest: provenance.file.digest,
    key: provenanceKey(id, chart.digest, newId()),
  };
  return { ...reservation, provenance: record };
}

function isSameUpload(pending: PendingPackage, { chart, provenance }: CheckedUpload): boolean {
  return pending.digest === chart.digest && pending.provenance?.digest === provenance?.file.digest;
}

/**
 * Puts the objects of a reservation and commits it.
 *
 * @returns whether the reserved package became live, whoever committed it
 */
export async function finish(
  { versions, objects, clock }: PublishDependencies,
  { id, chart, bytes, provenance }: CheckedUpload,
  pending: PendingPackage,
): Promise<boolean> {
  const files = gzipSync(JSON.stringify(chart.files));
  await objects.put(filesKey(pending.key), files, { contentType: 'application/gzip' });
  if (pending.provenance !== undefined && provenance !== undefined) {
    await objects.put(pending.provenance.key, provenance.bytes, { contentType: 'application/pgp-signature' });
  }
  await objects.put(pending.key, bytes, {
    contentType: 'application/x-tar',
    // Enough to rebuild the table from the bucket.
    metadata: {
      repository: id.repository,
      name: id.name,
      version: id.version,
      created: pending.created,
      reservation: reservationOf(pending.key),
    },
  });
  if (await versions.commit(id, pending)) return true;
  // Nobody takes a reservation over before it expires, so until then only a commit ends it; the version may
  // have been deleted or overwritten since.
  if (clock.now() < pending.expires) return true;
  const item = await versions.get(id);
  return item?.live?.key === pending.key;
}

function versionExists({ name, version }: VersionId, sameBytes: boolean): Fault {
  return new Fault(
    'version_exists',
    sameBytes
      ? `${name} ${version} already exists, with the same bytes: there is nothing to do`
      : `${name} ${version} already exists with other bytes: publish a new version, or pass ?force to replace it`,
  );
}

function beingPublished({ name, version }: VersionId): Fault {
  return new Fault('being_published', `${name} ${version} is being published by another upload: try again`, {
    retryAfterSeconds: 5,
  });
}
