import { type Clock, systemClock } from './clock.ts';
import type { ChartName } from './domain/chart-name.ts';
import { Fault } from './domain/fault.ts';
import { filesKey, type VersionId } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { VersionStore } from './store/version-store.ts';

export type DeleteDependencies = {
  readonly versions: Pick<VersionStore, 'get' | 'ofChart' | 'remove'>;
  readonly objects: Pick<ObjectStore, 'remove'>;
  /** @default real time */
  readonly clock?: Pick<Clock, 'now'>;
};

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
async function deleteIfLive(
  { versions, objects, clock = systemClock }: DeleteDependencies,
  id: VersionId,
): Promise<boolean> {
  let wasLive = false;
  for (;;) {
    const item = await versions.get(id);
    // Gone between read and write: another's delete, or this one's, whose answer got lost on the way.
    if (item?.live === undefined) return wasLive;
    wasLive = true;
    const { key } = item.live;
    // Where it fails, the version was overwritten meanwhile: what is there now is to be deleted.
    if (await versions.remove(id, key, clock.now())) {
      const provenance = item.provenance === undefined ? [] : [item.provenance.key];
      await objects.remove([key, filesKey(key), ...provenance]);
      return true;
    }
  }
}
