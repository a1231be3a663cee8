import { collect } from './async-iteration.ts';
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
import { publishProvenance } from './publish-provenance.ts';
import type { IndexDependencies } from './refresh.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PointerStore } from './store/pointer-store.ts';
import type { VersionStore } from './store/version-store.ts';

export type UploadDependencies = PublishDependencies & {
  readonly objects: Pick<ObjectStore, 'remove'>;
  readonly pointers: Pick<PointerStore, 'get'>;
  readonly settingsOf: SettingsReader;
  readonly report: IndexDependencies['report'];
};

/** What somebody sent: a package, a provenance file, or both. */
export type Upload = {
  readonly repository: Repository;
  readonly chart?: Uint8Array;
  readonly prov?: Uint8Array;
  /** Whether the client asked to replace what is there. */
  readonly force: boolean;
};

// Marks go within a second or two of a change; until then the count is too high rather than too low.
const WAIT_FOR_COUNT_MS = 5_000;
const LOOK_AGAIN_MS = 200;

/**
 * Publishes what somebody sent, as far as the repository's settings allow.
 *
 * @throws Fault what {@link checkUpload}, {@link publishAllowed} and {@link publishProvenance} throw
 */
export async function takeUpload(dependencies: UploadDependencies, upload: Upload): Promise<void> {
  const { repository, chart, prov } = upload;
  const settings = await dependencies.settingsOf(repository);
  const overwrite = mayOverwrite(settings, upload);
  if (chart === undefined) {
    if (prov !== undefined)
      await publishProvenance(dependencies, { repository, provenance: prov, overwrite });
    return;
  }
  const checked = await checkUpload({ repository, package: chart, ...(prov && { provenance: prov }) });
  await publishAllowed(dependencies, checked, settings, { overwrite });
}

/**
 * Publishes a package that was checked, as far as its repository's settings allow.
 *
 * @throws Fault what {@link publishChecked} throws; `invalid_version` where only strict versions are taken;
 *   `storage_full`
 */
export async function publishAllowed(
  dependencies: UploadDependencies,
  checked: CheckedUpload,
  settings: AllRepositorySettings,
  rules: PublishRules,
): Promise<void> {
  await admit(dependencies, checked, settings);
  try {
    await publishChecked(dependencies, checked, rules);
  } catch (error) {
    throw settings.allowForce ? error : withoutForce(error, checked.id);
  }
  await keepNewest(dependencies, checked.id, settings);
}

/** Whether an upload may replace what is there. */
export function mayOverwrite(
  { allowOverwrite, allowForce }: AllRepositorySettings,
  { force }: Pick<Upload, 'force'>,
): boolean {
  return allowOverwrite || (allowForce && force);
}

/** @throws Fault if the repository's settings do not let a package in */
async function admit(
  dependencies: Pick<UploadDependencies, 'versions' | 'pointers' | 'clock'>,
  { id }: CheckedUpload,
  { strictSemver, maxVersions }: AllRepositorySettings,
): Promise<void> {
  if (strictSemver && !isStrictSemver(id.version)) {
    throw new Fault(
      'invalid_version',
      `"${id.version}" is not a version as semver.org has it, which this repository asks for: write three numbers, such as 1.2.3, and no "v"`,
    );
  }
  if (maxVersions > 0) await checkRoom(dependencies, id, maxVersions);
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

function withoutForce(error: unknown, { name, version }: VersionId): unknown {
  if (!(error instanceof Fault) || error.code !== 'version_exists') return error;
  return new Fault(
    'version_exists',
    `${name} ${version} already exists, and versions are not replaced here: publish a new one`,
  );
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
  }: { versions: Pick<VersionStore, 'ofChart' | 'remove'>; objects: Pick<ObjectStore, 'remove'> },
  repository: Repository,
  name: ChartName,
  keep: number,
): Promise<void> {
  if (keep === 0) return;
  const items = await collect(versions.ofChart(repository, name));
  const live = items.flatMap((item) => (item.live === undefined ? [] : [{ ...item, live: item.live }]));
  const newestFirst = live.sort((a, b) => (a.live.created < b.live.created ? 1 : -1));
  for (const item of newestFirst.slice(keep)) await deleteThis({ versions, objects }, item, item);
}
