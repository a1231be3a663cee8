import type { Clock } from './clock.ts';
import type { By } from './domain/audit.ts';
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
  readonly newId: () => string;
};

/** What deleting a version that was looked at needs. */
export type DeleteThisDependencies = Pick<DeleteDependencies, 'objects' | 'clock' | 'newId'> & {
  readonly versions: Pick<VersionStore, 'remove'>;
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
export async function deleteVersion(dependencies: DeleteDependencies, id: VersionId, by: By): Promise<void> {
  if (await deleteIfLive(dependencies, id, by)) return;
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
  by: By,
): Promise<void> {
  let found = false;
  for await (const item of dependencies.versions.ofChart(repository, name)) {
    if (item.live !== undefined && (await deleteIfLive(dependencies, item, by))) found = true;
  }
  if (!found) throw new Fault('chart_not_found', `there is no chart ${name}`);
}

/** @returns whether the version was live at some moment of the call; it is not any more */
export async function deleteIfLive(
  dependencies: DeleteDependencies,
  id: VersionId,
  by: By,
): Promise<boolean> {
  let wasLive = false;
  for (;;) {
    const item = await dependencies.versions.get(id);
    // Gone between read and write: another's delete, or this one's, whose answer got lost on the way.
    if (item?.live === undefined) return wasLive;
    wasLive = true;
    // Where it fails, the version was overwritten meanwhile: what is there now is to be deleted.
    if (await deleteThis(dependencies, { ...item, live: item.live }, { by })) return true;
  }
}

/**
 * Deletes a version as the caller has seen it.
 *
 * @param of `reason`: why, where nobody asked for it
 * @returns false if it is another by now, or gone
 */
export async function deleteThis(
  { versions, objects, clock, newId }: DeleteThisDependencies,
  {
    live,
    provenance,
    ...id
  }: VersionId & { readonly live: PackageRecord; readonly provenance?: ProvenanceRecord },
  of: { readonly by: By; readonly reason?: string },
): Promise<boolean> {
  const { key } = live;
  const now = clock.now();
  const change = { id: newId(), at: new Date(now).toISOString(), ...of, action: 'deleted' } as const;
  if (!(await versions.remove(id, key, { now, change }))) return false;
  await objects.remove([key, filesKey(key), ...(provenance === undefined ? [] : [provenance.key])]);
  return true;
}
