import type { Clock } from './clock.ts';
import type { ChartName } from './domain/chart-name.ts';
import { Fault } from './domain/fault.ts';
import { filesKey, type VersionId } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PackageRecord, ProvenanceRecord, VersionStore } from './store/version-store.ts';

export type DeleteDependencies = {
  readonly versions: Pick<VersionStore, 'get' | 'ofChart' | 'remove'>;
  readonly objects: Pick<ObjectStore, 'remove'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** @throws Fault `deleting_is_off` */
export function checkDeletable({ allowDelete }: Pick<AllRepositorySettings, 'allowDelete'>): void {
  if (allowDelete) return;
  throw new Fault('deleting_is_off', 'versions are not deleted here: the setting "allowDelete" is false');
}

/**
 * Deletes a version with its provenance file. First the item, then the objects: a reader never finds a
 * version without bytes, and an interrupted delete leaves only objects that nobody names.
 *
 * @throws Fault `version_not_found`
 */
export async function deleteVersion(dependencies: DeleteDependencies, id: VersionId): Promise<void> {
  if (await deleteIfLive(dependencies, id)) return;
  throw new Fault('version_not_found', `chart ${id.name} has no version ${id.version}`);
}

/**
 * Deletes every version of a chart, one after the other.
 *
 * @throws Fault `chart_not_found` if it has none
 */
export async function deleteChart(
  dependencies: DeleteDependencies,
  repository: Repository,
  name: ChartName,
): Promise<void> {
  let found = false;
  for await (const item of dependencies.versions.ofChart(repository, name)) {
    if (item.live !== undefined && (await deleteIfLive(dependencies, item))) found = true;
  }
  if (!found) throw new Fault('chart_not_found', `there is no chart ${name}`);
}

/** @returns whether the version was live at some moment of the call; it is not any more */
export async function deleteIfLive(
  { versions, objects, clock }: DeleteDependencies,
  id: VersionId,
): Promise<boolean> {
  let wasLive = false;
  for (;;) {
    const item = await versions.get(id);
    // Gone between read and write: another's delete, or this one's, whose answer got lost on the way.
    if (item?.live === undefined) return wasLive;
    wasLive = true;
    // Where it fails, the version was overwritten meanwhile: what is there now is to be deleted.
    if (await deleteThis({ versions, objects, clock }, id, { ...item, live: item.live })) return true;
  }
}

/**
 * Deletes a version as the caller has seen it.
 *
 * @returns false if it is another by now, or gone
 */
export async function deleteThis(
  {
    versions,
    objects,
    clock,
  }: Pick<DeleteDependencies, 'objects' | 'clock'> & { versions: Pick<VersionStore, 'remove'> },
  id: VersionId,
  { live: { key }, provenance }: { readonly live: PackageRecord; readonly provenance?: ProvenanceRecord },
): Promise<boolean> {
  if (!(await versions.remove(id, key, clock.now()))) return false;
  await objects.remove([key, filesKey(key), ...(provenance === undefined ? [] : [provenance.key])]);
  return true;
}
