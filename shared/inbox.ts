import { createHash } from 'node:crypto';
import { collect } from './async-iteration.ts';
import { Fault, type FaultCode } from './domain/fault.ts';
import { inboxFolder, rejectedKey, reservationOf, type VersionId } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import { type CheckedUpload, checkUpload, finish } from './publish.ts';
import type { ObjectStore, ReadObject } from './store/object-store.ts';
import type { UploadOutcome, UploadRecord, UploadStore } from './store/upload-store.ts';
import type { PackageRecord } from './store/version-store.ts';
import { publishAllowed, publishAllowedProvenance, type UploadDependencies } from './upload.ts';

export type InboxDependencies = UploadDependencies & {
  readonly objects: Pick<ObjectStore, 'read' | 'copy' | 'listVersions' | 'removeForGood'>;
  readonly uploads: UploadStore;
  readonly maxPackageBytes: number;
};

/** How long an upload is remembered, in milliseconds: as long as the bucket keeps what lies in the inbox. */
export const UPLOAD_REMEMBERED_MS = 14 * 24 * 60 * 60 * 1000;

// These end by themselves: the event comes again, and finds the object where it is.
const PASSING = new Set(['being_published', 'try_again']);

/** An object of the inbox that is being worked on. */
type Delivery = {
  readonly repository: Repository;
  readonly key: string;
  readonly object: ReadObject;
  readonly upload: UploadRecord;
  /** The same at each attempt, and another for each put of the object. */
  readonly id: string;
};

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
  // With the attempt that was noted meanwhile: it keeps the next event from beginning anew.
  const noted = (await uploads.get(repository, name)) ?? upload;
  if (!isPublished(noted, id)) {
    await remember(dependencies, repository, { ...noted, attempt: id, outcome });
    if (outcome.state === 'rejected') await copyAside(dependencies, key, object, outcome.code);
  }
  await removeUpTo(dependencies, key, object);
}

/** Moves an object of the inbox to `rejected/`, which no repository is asked about. */
export async function setAside(
  { objects }: Pick<InboxDependencies, 'objects'>,
  key: string,
  code: FaultCode,
): Promise<void> {
  const object = await objects.read(key, { atMostBytes: 0 });
  if (object === undefined) return;
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
  return { id, created, force: false, mayReplace: true, copied: true, outcome: { state: 'waiting' } };
}

/** Whether this very delivery was published, by an earlier attempt or one at the same time. */
const isPublished = ({ attempt, outcome }: UploadRecord, id: string) =>
  attempt === id && outcome.state === 'published';

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
  const settings = await dependencies.settingsOf(repository);
  const { force, mayReplace } = upload;
  if (object.bytes === undefined) {
    const { maxPackageBytes } = dependencies;
    throw new Fault(
      'too_large',
      `the package has ${object.sizeBytes} bytes, and a package may have ${maxPackageBytes}: name in .helmignore what the chart does not need`,
    );
  }
  if (key.endsWith('.prov')) {
    const provenance = { repository, provenance: object.bytes, force, mayReplace };
    return await publishAllowedProvenance(dependencies, settings, provenance);
  }
  if (!key.endsWith('.tgz')) {
    throw new Fault(
      'invalid_package',
      'the name ends neither in .tgz nor in .prov: neither a package nor a provenance file',
    );
  }
  const checked = await checkUpload({ repository, package: object.bytes });
  await publishDelivered(dependencies, delivery, checked, settings);
  return checked.id;
}

/** Publishes the package of a delivery, at most once in its life. */
async function publishDelivered(
  dependencies: InboxDependencies,
  { object, upload, id }: Delivery,
  checked: CheckedUpload,
  settings: AllRepositorySettings,
): Promise<void> {
  const { versions, newId } = dependencies;
  // Each attempt has a reservation of its own, by which it is known as one of this delivery's.
  const isOurs = (record: PackageRecord | undefined): boolean =>
    record !== undefined && reservationOf(record.key).startsWith(`${id}.`);
  const item = await versions.get(checked.id);
  if (isOurs(item?.live)) return;
  if (item?.pending && isOurs(item.pending) && (await finish(dependencies, checked, item.pending))) return;
  if (upload.copied && item?.live?.digest === checked.chart.digest) return;
  try {
    await publishAllowed({ ...dependencies, newId: () => `${id}.${newId()}` }, checked, settings, {
      force: upload.force,
      mayReplace: upload.mayReplace,
      created: readCreated(object.metadata['created']),
      reserved: () => noteAttempt(dependencies, upload, checked.id, id),
    });
  } catch (error) {
    // It met another attempt of the same delivery, and finished its work.
    if (!isOurs((await versions.get(checked.id))?.live)) throw error;
  }
}

/**
 * Notes, once the version is reserved, that a delivery is about to be published. Who finds it noted, and no
 * trace of it in the version, comes after a commit and a delete: to publish it would bring it back.
 *
 * @throws Fault `version_exists`
 */
async function noteAttempt(
  dependencies: InboxDependencies,
  upload: UploadRecord,
  { repository, name, version }: VersionId,
  id: string,
): Promise<void> {
  const known = (await dependencies.uploads.get(repository, upload.id)) ?? upload;
  if (known.attempt === id) {
    throw new Fault(
      'version_exists',
      `${name} ${version} was replaced or deleted by others while it was being published: send it again if it is still wanted`,
    );
  }
  await remember(dependencies, repository, { ...known, attempt: id });
}

/**
 * The instant that an operator states, who brings packages from elsewhere.
 *
 * @throws Fault `invalid_request`
 */
function readCreated(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text))
  ) {
    return new Date(text).toISOString();
  }
  throw new Fault(
    'invalid_request',
    `metadata created is ${JSON.stringify(text)}: write an instant such as 2024-01-02T03:04:05Z`,
  );
}

async function remember(
  { uploads, clock }: InboxDependencies,
  repository: Repository,
  upload: UploadRecord,
): Promise<void> {
  await uploads.put(repository, upload, clock.now() + UPLOAD_REMEMBERED_MS);
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
