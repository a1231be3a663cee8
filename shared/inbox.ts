import { createHash } from 'node:crypto';
import { collect } from './async-iteration.ts';
import { bucketWriter } from './domain/audit.ts';
import { Fault, type FaultCode } from './domain/fault.ts';
import { inboxFolder, rejectedKey, reservationOf, type VersionId } from './domain/object-keys.ts';
import { parseProvenance } from './domain/provenance.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import type { Observing } from './happening.ts';
import type { Admission } from './known-repositories.ts';
import { type CheckedUpload, checkUpload, finish } from './publish.ts';
import type { ObjectStore, ReadObject } from './store/object-store.ts';
import type { UploadOutcome, UploadRecord, UploadStore } from './store/upload-store.ts';
import type { PackageRecord, PendingPackage } from './store/version-store.ts';
import { publishAllowed, publishAllowedProvenance, type UploadDependencies } from './upload.ts';

export type InboxDependencies = UploadDependencies &
  Observing & {
    readonly objects: Pick<ObjectStore, 'read' | 'copy' | 'listVersions' | 'removeForGood'>;
    readonly uploads: UploadStore;
    readonly maxPackageBytes: number;
  };

/** How long an upload is remembered, in milliseconds: as long as the bucket keeps what lies in the inbox. */
export const UPLOAD_REMEMBERED_MS = 14 * 24 * 60 * 60 * 1000;

// Far above what is read of one; what lies beside a package may be anything.
const MOST_PROVENANCE_BYTES = 1024 * 1024;

// An instant as RFC 3339 writes it.
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

// These end by themselves: the event comes again, and finds the object where it is.
const PASSING = new Set(['being_published', 'try_again']);

// What says that there is a provenance file already: the second to whoever may not replace it.
const IS_THERE = new Set(['provenance_exists', 'forbidden']);

/** An object of the inbox that is being worked on. */
type Delivery = {
  readonly repository: Repository;
  readonly key: string;
  readonly object: ReadObject;
  readonly upload: UploadRecord;
  /** The same at each attempt, and another for each put of the object. */
  readonly id: string;
};

/** What the repository says of a delivery. */
type Target = { readonly settings: AllRepositorySettings; readonly admission: Admission };

/**
 * Publishes an object of the inbox, or moves it to `rejected/` with the reason. It may run twice, at the same
 * time too, and be cut off anywhere: until the object is gone from the inbox the next event goes on, and
 * what was published once is never published again, though it may have been deleted meanwhile.
 *
 * @throws Fault `being_published` or `try_again`, when it is to be tried again later
 */
export async function publishFromInbox(
  dependencies: InboxDependencies,
  repository: Repository,
  key: string,
): Promise<void> {
  const { objects, uploads, clock, maxPackageBytes } = dependencies;
  const object = await objects.read(key, { atMostBytes: maxPackageBytes });
  if (object === undefined) return;
  const name = key.slice(inboxFolder(repository).length).replace(/\.tgz$/, '');
  const upload = (await uploads.get(repository, name)) ?? copiedUpload(name, clock.now());
  const id = createHash('sha256').update(`${key} ${object.versionId}`).digest('hex').slice(0, 32);
  const delivery = { repository, key, object, upload, id };
  const outcome = await outcomeOf(dependencies, delivery);
  // Another attempt at the same time may have told already.
  const told = (await uploads.get(repository, name)) ?? upload;
  if (!isPublished(told, id)) {
    const forgetAt = clock.now() + UPLOAD_REMEMBERED_MS;
    await uploads.put(repository, { ...told, delivery: id, outcome }, forgetAt);
    await tellOf(dependencies, delivery, outcome);
    if (outcome.state === 'rejected') await copyAside(dependencies, key, object, outcome.code);
  }
  await removeUpTo(dependencies, key, object);
}

async function tellOf(
  { observe }: Observing,
  { repository, key, upload }: Delivery,
  outcome: UploadOutcome,
): Promise<void> {
  const { requestId } = upload.by;
  if (outcome.state === 'rejected') {
    const { code, message: reason } = outcome;
    await observe?.({ kind: 'upload_rejected', repository, key, requestId, code, reason });
  }
  if (outcome.state === 'published') {
    const { name: chart, version: chartVersion } = outcome;
    const what = key.endsWith('.prov') ? 'provenance' : 'package';
    await observe?.({ kind: 'upload_published', repository, key, requestId, what, chart, chartVersion });
  }
}

/** Moves an object of the inbox to `rejected/`, which no repository is asked about. */
export async function setAside(
  { objects, observe }: Pick<InboxDependencies, 'objects' | 'observe'>,
  key: string,
  code: FaultCode,
): Promise<void> {
  const object = await objects.read(key, { atMostBytes: 0 });
  if (object === undefined) return;
  await observe?.({ kind: 'upload_rejected', key, code });
  await copyAside({ objects }, key, object, code);
  await removeUpTo({ objects }, key, object);
}

async function copyAside(
  { objects }: Pick<InboxDependencies, 'objects'>,
  key: string,
  { versionId }: ReadObject,
  code: FaultCode,
): Promise<void> {
  const options = { contentType: 'application/octet-stream', metadata: { code } };
  await objects.copy({ key, versionId }, rejectedKey(key), options);
}

function copiedUpload(id: string, now: number): UploadRecord {
  const created = new Date(now).toISOString();
  // Whoever writes to the bucket is above the roles.
  return {
    id,
    created,
    by: bucketWriter,
    force: false,
    mayReplace: true,
    copied: true,
    outcome: { state: 'waiting' },
  };
}

/** Whether this very delivery was published, by an earlier attempt or one at the same time. */
const isPublished = ({ delivery, outcome }: UploadRecord, id: string) =>
  delivery === id && outcome.state === 'published';

async function outcomeOf(dependencies: InboxDependencies, delivery: Delivery): Promise<UploadOutcome> {
  const { upload } = delivery;
  if (isPublished(upload, delivery.id)) return upload.outcome;
  try {
    const { name, version } = await publishDelivery(dependencies, delivery);
    return { state: 'published', name, version };
  } catch (error) {
    if (!(error instanceof Fault) || PASSING.has(error.code)) throw error;
    return { state: 'rejected', code: error.code, message: error.message };
  }
}

async function publishDelivery(dependencies: InboxDependencies, delivery: Delivery): Promise<VersionId> {
  const { repository, key, object, upload } = delivery;
  const admission = await dependencies.admission(repository, upload.by);
  mustBeTheSame(delivery, admission);
  const settings = await dependencies.settingsOf(repository);
  if (object.bytes === undefined) {
    const { maxPackageBytes } = dependencies;
    throw new Fault(
      'too_large',
      `the package has ${object.sizeBytes} bytes, and a package may have ${maxPackageBytes}: name in .helmignore what the chart does not need`,
    );
  }
  const { bytes } = object;
  if (key.endsWith('.prov'))
    return await publishProvenanceFile(dependencies, delivery, bytes, { settings, admission });
  // Its event may come before that of the provenance file beside it.
  const beside = settings.requireSigned ? await provenanceBeside(dependencies, key) : undefined;
  const checked = await checkUpload({ repository, package: bytes, ...(beside && { provenance: beside }) });
  await publishPackageOnce(dependencies, delivery, checked, { settings, admission });
  return checked.id;
}

/** A form that was given for a repository is none for another that was made under its path since. */
function mustBeTheSame(
  { repository, upload: { repositoryCreated } }: Delivery,
  { created }: Admission,
): void {
  if (repositoryCreated === undefined || repositoryCreated === created) return;
  throw new Fault(
    'repository_deleted',
    `repository ${repository} was deleted after this upload was asked for: ask for another one by POST /api/${repository}/uploads`,
  );
}

async function provenanceBeside(
  { objects }: InboxDependencies,
  key: string,
): Promise<Uint8Array | undefined> {
  return (await objects.read(`${key}.prov`, { atMostBytes: MOST_PROVENANCE_BYTES }))?.bytes;
}

/** A provenance file that was published before, by this delivery or another, is published. */
async function publishProvenanceFile(
  dependencies: InboxDependencies,
  { repository, upload }: Delivery,
  provenance: Uint8Array,
  { settings, admission }: Target,
): Promise<VersionId> {
  const { force, mayReplace, by } = upload;
  try {
    const file = { repository, provenance, force, mayReplace, admission, by };
    return await publishAllowedProvenance(dependencies, settings, file);
  } catch (error) {
    if (!(error instanceof Fault) || !IS_THERE.has(error.code)) throw error;
    const { name, version, digest } = parseProvenance(provenance);
    const id = { repository, name, version };
    if ((await dependencies.versions.get(id))?.provenance?.digest !== digest) throw error;
    return id;
  }
}

/**
 * Publishes the package of a delivery, at most once in its life: of all reservations that attempts at it make,
 * one is claimed, and only that may be committed. So whoever finds no trace of it in the version comes after a
 * commit and a delete, and does not bring it back.
 */
async function publishPackageOnce(
  dependencies: InboxDependencies,
  delivery: Delivery,
  checked: CheckedUpload,
  { settings, admission }: Target,
): Promise<void> {
  const { versions, newId } = dependencies;
  const { object, upload, id } = delivery;
  const isOurs = (record: PackageRecord | undefined): boolean =>
    record !== undefined && reservationOf(record.key).startsWith(`${id}.`);
  const item = await versions.get(checked.id);
  const pending = isOurs(item?.pending) ? item?.pending : undefined;
  // Of an attempt that died, or is at it. One that may not be committed ends by itself.
  if (pending !== undefined && (await isClaimed(dependencies, delivery, pending))) {
    if (await finish(dependencies, checked, pending)) return;
  }
  // Who copies a package again need not hear that it is there.
  const isThere = (live: PackageRecord | undefined) =>
    isOurs(live) || (upload.copied && live?.digest === checked.chart.digest);
  if (isThere(item?.live)) return;
  // It is told as it is: nothing that could be replaced stood in the way.
  let overtaken: Fault | undefined;
  try {
    await publishAllowed({ ...dependencies, newId: () => `${id}.${newId()}` }, checked, settings, {
      force: upload.force,
      mayReplace: upload.mayReplace,
      admission,
      by: upload.by,
      created: readCreated(object.metadata['created']),
      reserved: async (reserved) => {
        if (await isClaimed(dependencies, delivery, reserved)) return;
        overtaken = new Fault(
          'version_exists',
          `${checked.id.name} ${checked.id.version} was replaced or deleted by others while it was being published: send it again if it is still wanted`,
        );
        throw overtaken;
      },
    });
  } catch (error) {
    // It met another attempt at the same delivery, or another copy, and finished its work.
    if (!isThere((await versions.get(checked.id))?.live)) throw overtaken ?? error;
  }
}

/** Whether a reservation is the one under which the delivery may be published, after claiming that it is. */
async function isClaimed(
  { uploads, clock }: InboxDependencies,
  { repository, id }: Delivery,
  { key }: PendingPackage,
): Promise<boolean> {
  return (await uploads.claim(repository, id, key, clock.now() + UPLOAD_REMEMBERED_MS)) === key;
}

/**
 * The instant that an operator states, who brings packages from elsewhere.
 *
 * @throws Fault `invalid_request`
 */
function readCreated(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const [, year, month, day] = RFC_3339.exec(text) ?? [];
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  const instant = new Date(Number(day) <= daysInMonth ? text : Number.NaN);
  // Outside of the years 0 to 9999 it would be written in a way that Go cannot read.
  if (!Number.isNaN(instant.getTime()) && instant.toISOString().length === 24) return instant.toISOString();
  throw new Fault(
    'invalid_request',
    `metadata created is ${JSON.stringify(text)}: write an instant such as 2024-01-02T03:04:05Z`,
  );
}

/** Removes what was worked on and what it had replaced; an object that came since stays. */
async function removeUpTo(
  { objects }: Pick<InboxDependencies, 'objects'>,
  key: string,
  { versionId }: ReadObject,
): Promise<void> {
  const versions = (await collect(objects.listVersions(key))).filter((each) => each.key === key);
  const position = versions.findIndex((each) => each.versionId === versionId);
  if (position !== -1) await objects.removeForGood(versions.slice(position));
}
