import { collect } from './async-iteration.ts';
import { type DeleteThisDependencies, deleteThis } from './delete.ts';
import { type By, upkeep } from './domain/audit.ts';
import type { ChartName } from './domain/chart-name.ts';
import { compareText, newestFirst } from './domain/entry.ts';
import { Fault } from './domain/fault.ts';
import type { VersionId } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import { type ChartVersion, isStrictSemver } from './domain/version.ts';
import type { Admission, RepositoryGate } from './known-repositories.ts';
import {
  type CheckedUpload,
  checkUpload,
  type PublishDependencies,
  type PublishRules,
  publishChecked,
  readProvenance,
} from './publish.ts';
import { type ProvenanceUpload, publishProvenance } from './publish-provenance.ts';
import type { IndexDependencies } from './refresh.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PointerStore } from './store/pointer-store.ts';
import type { PackageRecord, VersionItem, VersionStore } from './store/version-store.ts';

export type UploadDependencies = PublishDependencies & {
  readonly objects: Pick<ObjectStore, 'get' | 'remove'>;
  readonly pointers: Pick<PointerStore, 'get'>;
  readonly admission: RepositoryGate['admission'];
  readonly settingsOf: SettingsReader;
  /** Gives the marks of a repository time to go, or makes them go. */
  readonly settle: (repository: Repository) => Promise<void>;
  readonly report: IndexDependencies['report'];
};

/** What somebody sent: a package, a provenance file, or both. */
export type Upload = {
  readonly repository: Repository;
  readonly admission: Admission;
  readonly chart?: Uint8Array;
  readonly prov?: Uint8Array;
  readonly by: By;
} & Replacing;

/** What decides whether an upload takes the place of what is there. */
export type Replacing = {
  /** Whether the client asked for it. */
  readonly force: boolean;
  /** Whether the client's role gives the right to. */
  readonly mayReplace: boolean;
};

/** A provenance file that comes with its package is a part of that. */
export type Taken = { readonly id: VersionId; readonly what: 'package' | 'provenance' };

// Marks go within a second or two of a change; until then the count is too high rather than too low.
const WAIT_FOR_COUNT_MS = 5_000;

/**
 * Publishes what somebody sent, as far as the repository's settings allow; the first makes the repository.
 *
 * @returns what it was; undefined for nothing
 * @throws Fault what {@link checkUpload}, {@link publishAllowed} and {@link publishAllowedProvenance} throw
 */
export async function takeUpload(
  dependencies: UploadDependencies,
  upload: Upload,
): Promise<Taken | undefined> {
  const { repository, chart, prov, ...rules } = upload;
  const settings = await dependencies.settingsOf(repository);
  if (chart !== undefined) {
    const checked = await checkUpload({ repository, package: chart, ...(prov && { provenance: prov }) });
    await publishAllowed(dependencies, checked, settings, rules);
    return { id: checked.id, what: 'package' };
  } else if (prov !== undefined) {
    const file = { repository, provenance: prov, ...rules };
    const id = await publishAllowedProvenance(dependencies, settings, file);
    return { id, what: 'provenance' };
  }
  return undefined;
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
  {
    force,
    mayReplace,
    admission,
    ...rules
  }: Replacing & Omit<PublishRules, 'overwrite'> & { readonly admission: Admission },
): Promise<void> {
  const replacing = { force, mayReplace };
  const overwrite = mayOverwrite(settings, replacing);
  const signed = settings.requireSigned ? await withSignature(dependencies, checked, settings) : checked;
  await admit(dependencies, checked.id, settings);
  await admission.make();
  await publishChecked(dependencies, signed, { ...rules, overwrite }).catch(tellOfForce(settings, replacing));
  await keepNewest(dependencies, checked.id, settings, rules.by);
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
  upload: Omit<ProvenanceUpload, 'overwrite'> & Replacing & { readonly admission: Admission },
): Promise<VersionId> {
  const { repository, provenance, by } = upload;
  if (settings.requireSigned) await checkSignature(provenance, settings);
  const overwrite = mayOverwrite(settings, upload);
  await upload.admission.make();
  return await publishProvenance(dependencies, { repository, provenance, overwrite, by }).catch(
    tellOfForce(settings, upload),
  );
}

/** Whether the repository lets an upload replace what is there, whoever sends it. */
const letsOverwrite = (
  { allowOverwrite, allowForce }: AllRepositorySettings,
  { force }: Pick<Replacing, 'force'>,
): boolean => allowOverwrite || (allowForce && force);

/** Whether the client has the right to replace: by a role, or since the repository gives it to all who publish. */
const hasRight = ({ publishersReplace }: AllRepositorySettings, { mayReplace }: Replacing): boolean =>
  mayReplace || publishersReplace;

const mayOverwrite = (settings: AllRepositorySettings, replacing: Replacing): boolean =>
  hasRight(settings, replacing) && letsOverwrite(settings, replacing);

/** A refusal must not advise `?force` where it does not help, and says so where only the right is missing. */
function tellOfForce(settings: AllRepositorySettings, replacing: Replacing) {
  return (error: unknown): never => {
    if (!(error instanceof Fault)) throw error;
    if (error.code !== 'version_exists' && error.code !== 'provenance_exists') throw error;
    const [what] = error.message.split(':');
    const mayReplace = hasRight(settings, replacing);
    if (!mayReplace && letsOverwrite(settings, replacing)) {
      throw new Fault(
        'forbidden',
        `${what}, and your account may publish here but not replace: publish a new version, or ask for the role maintainer`,
      );
    }
    if (settings.allowForce && mayReplace) throw error;
    throw new Fault(
      error.code,
      settings.allowForce
        ? `${what}: publish a new version, or let a maintainer replace it`
        : `${what}, and nothing is replaced here: publish a new version`,
    );
  };
}

/** @throws Fault if the repository's settings do not let a version in */
async function admit(
  dependencies: UploadDependencies,
  id: VersionId,
  { strictSemver, maxVersions, maxVersionsPerChart }: AllRepositorySettings,
): Promise<void> {
  if (strictSemver && !isStrictSemver(id.version)) {
    throw new Fault(
      'invalid_version',
      `"${id.version}" is not a version as semver.org has it, which this repository asks for: write three numbers, such as 1.2.3, and no "v"`,
    );
  }
  if (maxVersions === 0) return;
  const live = liveItems(await collect(dependencies.versions.ofChart(id.repository, id.name)));
  // Whoever replaces a version takes no room, nor does one for which an older one goes.
  const replaces = live.some(({ version }) => version === id.version);
  const trims = maxVersionsPerChart > 0 && live.length >= maxVersionsPerChart;
  if (!replaces && !trims) await checkRoom(dependencies, id.repository, maxVersions);
}

/**
 * A package with the provenance file that speaks for it: the one that comes with it, or one that waits for it.
 * Either way it is published with the package, so that no other can take its place in between.
 *
 * @throws Fault `invalid_provenance` if there is none, or its signature does not count
 */
async function withSignature(
  { versions, objects }: UploadDependencies,
  checked: CheckedUpload,
  settings: AllRepositorySettings,
): Promise<CheckedUpload> {
  const { id, chart } = checked;
  const waiting = checked.provenance === undefined ? (await versions.get(id))?.provenance : undefined;
  const found = waiting?.package === chart.digest ? await objects.get(waiting.key) : undefined;
  const bytes = checked.provenance?.bytes ?? found;
  if (bytes === undefined) {
    throw new Fault(
      'invalid_provenance',
      `${id.name} ${id.version} is not signed, and this repository takes signed packages alone: send its provenance file with it (curl -F chart=@… -F prov=@…), or before it to …/prov`,
    );
  }
  await checkSignature(bytes, settings);
  return { ...checked, provenance: readProvenance(chart, bytes) };
}

/** The library is loaded where signatures are asked for: other repositories never pay for it. */
async function checkSignature(provenance: Uint8Array, { keyRing }: AllRepositorySettings): Promise<void> {
  const { parseKeyRing, verifySignature } = await import('./signature.ts');
  await verifySignature(provenance, await parseKeyRing(keyRing));
}

/**
 * The count is what the index lists and what is marked, by two strong reads. Uploads at the same moment may
 * overshoot by their number.
 */
async function checkRoom(
  { versions, pointers, clock, settle }: UploadDependencies,
  repository: Repository,
  maxVersions: number,
): Promise<void> {
  const deadline = clock.now() + WAIT_FOR_COUNT_MS;
  for (;;) {
    const marks = (await collect(versions.marks(repository))).length;
    const listed = (await pointers.get(repository))?.versions ?? 0;
    if (listed + marks < maxVersions) return;
    // A mark may stand for a delete, or for a version that the index lists already: its end will tell.
    if (marks === 0 || clock.now() >= deadline) {
      throw new Fault(
        'storage_full',
        `repo has reached storage limit: it holds ${listed} versions and may hold ${maxVersions}: delete some, or raise its setting "maxVersions"`,
      );
    }
    await settle(repository);
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
  by: By,
): Promise<void> {
  try {
    await trimChart(dependencies, repository, name, maxVersionsPerChart, by);
  } catch (error) {
    await dependencies.report({ kind: 'clean_up_failed', repository, error });
  }
}

/**
 * @param keep how many versions of the chart stay, the last published ones; 0 for all
 * @param by whose publish it is that there is no room for
 */
export async function trimChart(
  dependencies: DeleteThisDependencies & { readonly versions: Pick<VersionStore, 'ofChart'> },
  repository: Repository,
  name: ChartName,
  keep: number,
  by: By = upkeep,
): Promise<void> {
  if (keep === 0) return;
  const live = liveItems(await collect(dependencies.versions.ofChart(repository, name)));
  const newest = live.sort(
    (a, b) => compareText(b.live.created, a.live.created) || newestFirst(sortable(a), sortable(b)),
  );
  const reason = `beyond the newest ${keep}`;
  for (const item of newest.slice(keep)) await deleteThis(dependencies, item, { by, reason });
}

/** Of what was published at the same instant, as files of one checkout are, the higher version is the newer. */
const sortable = ({ version, live }: { readonly version: ChartVersion; readonly live: PackageRecord }) => ({
  version,
  created: live.created,
});

/** Those that readers see. */
const liveItems = (items: readonly VersionItem[]) =>
  items.flatMap((item) => (item.live === undefined ? [] : [{ ...item, live: item.live }]));
