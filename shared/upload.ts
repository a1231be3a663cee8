import { collect } from './async-iteration.ts';
import type { Clock } from './clock.ts';
import { deleteThis } from './delete.ts';
import type { ChartName } from './domain/chart-name.ts';
import { Fault } from './domain/fault.ts';
import type { VersionId } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import { isStrictSemver } from './domain/version.ts';
import {
  type CheckedUpload,
  checkUpload,
  type PublishDependencies,
  type PublishRules,
  publishChecked,
} from './publish.ts';
import { type ProvenanceUpload, publishProvenance } from './publish-provenance.ts';
import type { IndexDependencies } from './refresh.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PointerStore } from './store/pointer-store.ts';
import type { VersionStore } from './store/version-store.ts';

export type UploadDependencies = PublishDependencies & {
  readonly objects: Pick<ObjectStore, 'get' | 'remove'>;
  readonly pointers: Pick<PointerStore, 'get'>;
  readonly settingsOf: SettingsReader;
  readonly report: IndexDependencies['report'];
};

/** What somebody sent: a package, a provenance file, or both. */
export type Upload = {
  readonly repository: Repository;
  readonly chart?: Uint8Array;
  readonly prov?: Uint8Array;
} & Replacing;

/** What decides whether an upload takes the place of what is there. */
export type Replacing = {
  /** Whether the client asked for it. */
  readonly force: boolean;
  /** Whether the client has the right to. */
  readonly mayReplace: boolean;
};

// Marks go within a second or two of a change; until then the count is too high rather than too low.
const WAIT_FOR_COUNT_MS = 5_000;
const LOOK_AGAIN_MS = 200;

/**
 * Publishes what somebody sent, as far as the repository's settings allow.
 *
 * @throws Fault what {@link checkUpload}, {@link publishAllowed} and {@link publishAllowedProvenance} throw
 */
export async function takeUpload(dependencies: UploadDependencies, upload: Upload): Promise<void> {
  const { repository, chart, prov } = upload;
  const settings = await dependencies.settingsOf(repository);
  if (chart !== undefined) {
    const checked = await checkUpload({ repository, package: chart, ...(prov && { provenance: prov }) });
    await publishAllowed(dependencies, checked, settings, upload);
  } else if (prov !== undefined) {
    await publishAllowedProvenance(dependencies, settings, { ...upload, provenance: prov });
  }
}

/**
 * Publishes a package that was checked, as far as its repository's settings allow.
 *
 * @throws Fault what {@link publishChecked} throws; `invalid_version` where only strict versions are taken;
 *   `invalid_provenance` where only signed packages are; `storage_full`; `forbidden` if it would replace a
 *   version, and may not
 */
export async function publishAllowed(
  dependencies: UploadDependencies,
  checked: CheckedUpload,
  settings: AllRepositorySettings,
  { force, mayReplace, ...rules }: Replacing & Omit<PublishRules, 'overwrite'>,
): Promise<void> {
  const replacing = { force, mayReplace };
  const overwrite = mayOverwrite(settings, replacing);
  await admit(dependencies, checked, settings);
  await publishChecked(dependencies, checked, { ...rules, overwrite }).catch(
    tellOfForce(settings, replacing),
  );
  await keepNewest(dependencies, checked.id, settings);
}

/**
 * Publishes a provenance file by itself, as far as the repository's settings allow.
 *
 * @throws Fault what {@link publishProvenance} throws; `invalid_provenance` for a signature that does not count;
 *   `forbidden` if it would replace a provenance file, and may not
 */
export async function publishAllowedProvenance(
  dependencies: UploadDependencies,
  settings: AllRepositorySettings,
  upload: Omit<ProvenanceUpload, 'overwrite'> & Replacing,
): Promise<VersionId> {
  const { repository, provenance } = upload;
  if (settings.requireSigned) await checkSignature(provenance, settings);
  const overwrite = mayOverwrite(settings, upload);
  return await publishProvenance(dependencies, { repository, provenance, overwrite }).catch(
    tellOfForce(settings, upload),
  );
}

/** Whether the repository lets an upload replace what is there, whoever sends it. */
const letsOverwrite = (
  { allowOverwrite, allowForce }: AllRepositorySettings,
  { force }: Pick<Replacing, 'force'>,
): boolean => allowOverwrite || (allowForce && force);

const mayOverwrite = (settings: AllRepositorySettings, replacing: Replacing): boolean =>
  replacing.mayReplace && letsOverwrite(settings, replacing);

/** A refusal must not advise `?force` where it does not help, and says so where only the right is missing. */
function tellOfForce(settings: AllRepositorySettings, replacing: Replacing) {
  return (error: unknown): never => {
    if (!(error instanceof Fault)) throw error;
    if (error.code !== 'version_exists' && error.code !== 'provenance_exists') throw error;
    const [what] = error.message.split(':');
    if (!replacing.mayReplace && letsOverwrite(settings, replacing)) {
      throw new Fault(
        'forbidden',
        `${what}, and your account may publish here but not replace: publish a new version, or ask for the role maintainer`,
      );
    }
    if (settings.allowForce && replacing.mayReplace) throw error;
    throw new Fault(
      error.code,
      settings.allowForce
        ? `${what}: publish a new version, or let a maintainer replace it`
        : `${what}, and nothing is replaced here: publish a new version`,
    );
  };
}

/** @throws Fault if the repository's settings do not let a package in */
async function admit(
  dependencies: UploadDependencies,
  checked: CheckedUpload,
  settings: AllRepositorySettings,
): Promise<void> {
  const { id } = checked;
  if (settings.strictSemver && !isStrictSemver(id.version)) {
    throw new Fault(
      'invalid_version',
      `"${id.version}" is not a version as semver.org has it, which this repository asks for: write three numbers, such as 1.2.3, and no "v"`,
    );
  }
  if (settings.requireSigned) await checkSignature(await signatureOf(dependencies, checked), settings);
  if (settings.maxVersions > 0) await checkRoom(dependencies, id, settings.maxVersions);
}

/**
 * The provenance file that will speak for a package: the one that comes with it, or one that waits for it.
 *
 * @throws Fault `invalid_provenance` if there is none
 */
async function signatureOf(
  { versions, objects }: UploadDependencies,
  { id, chart, provenance }: CheckedUpload,
): Promise<Uint8Array> {
  if (provenance !== undefined) return provenance.bytes;
  const waiting = (await versions.get(id))?.provenance;
  const bytes = waiting?.package === chart.digest ? await objects.get(waiting.key) : undefined;
  if (bytes !== undefined) return bytes;
  throw new Fault(
    'invalid_provenance',
    `${id.name} ${id.version} is not signed, and this repository takes signed packages alone: send its provenance file with it (curl -F chart=@… -F prov=@…), or before it to …/prov`,
  );
}

/** The library is loaded where signatures are asked for: other repositories never pay for it. */
async function checkSignature(provenance: Uint8Array, { keyRing }: AllRepositorySettings): Promise<void> {
  const { parseKeyRing, verifySignature } = await import('./signature.ts');
  await verifySignature(provenance, await parseKeyRing(keyRing));
}

/**
 * The count is what the index lists and what is marked, by two strong reads. Whoever replaces a version takes
 * no room; uploads at the same moment may overshoot by their number.
 */
async function checkRoom(
  { versions, pointers, clock }: Pick<UploadDependencies, 'versions' | 'pointers' | 'clock'>,
  id: VersionId,
  maxVersions: number,
): Promise<void> {
  if ((await versions.get(id))?.live !== undefined) return;
  const deadline = clock.now() + WAIT_FOR_COUNT_MS;
  for (;;) {
    const marks = (await collect(versions.marks(id.repository))).length;
    const listed = (await pointers.get(id.repository))?.versions ?? 0;
    if (listed + marks < maxVersions) return;
    // A mark may stand for a delete, or for a version that the index lists already: its end will tell.
    if (marks === 0 || clock.now() >= deadline) {
      throw new Fault(
        'storage_full',
        `repo has reached storage limit: it holds ${listed} versions and may hold ${maxVersions}: delete some, or raise its setting "maxVersions"`,
      );
    }
    await clock.sleep(LOOK_AGAIN_MS);
  }
}

/**
 * Deletes the oldest versions of a chart beyond the number that its repository keeps. It comes after the
 * publish, so at every moment the newest are there; where it fails, the publish stands and the indexer does
 * it.
 */
async function keepNewest(
  dependencies: UploadDependencies,
  { repository, name }: VersionId,
  { maxVersionsPerChart }: AllRepositorySettings,
): Promise<void> {
  try {
    await trimChart(dependencies, repository, name, maxVersionsPerChart);
  } catch (error) {
    dependencies.report({ kind: 'clean_up_failed', repository, error });
  }
}

/** @param keep how many versions of the chart stay, the last published ones; 0 for all */
export async function trimChart(
  {
    versions,
    objects,
    clock,
  }: {
    versions: Pick<VersionStore, 'ofChart' | 'remove'>;
    objects: Pick<ObjectStore, 'remove'>;
    clock: Pick<Clock, 'now'>;
  },
  repository: Repository,
  name: ChartName,
  keep: number,
): Promise<void> {
  if (keep === 0) return;
  const items = await collect(versions.ofChart(repository, name));
  const live = items.flatMap((item) => (item.live === undefined ? [] : [{ ...item, live: item.live }]));
  const newestFirst = live.sort((a, b) => (a.live.created < b.live.created ? 1 : -1));
  for (const item of newestFirst.slice(keep)) await deleteThis({ versions, objects, clock }, item, item);
}
