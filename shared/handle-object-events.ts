import { currentIndex } from './current-index.ts';
import { supersededIndexes } from './domain/leftovers.ts';
import { type KeyReading, readKey, rebuildRequestKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { indexesOf, removeIndex } from './published-index.ts';
import { type IndexDependencies, refreshIndex } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';
import type { VersionStore } from './store/version-store.ts';

export type EventDependencies = IndexDependencies & {
  readonly versions: Pick<VersionStore, 'get' | 'commit'>;
  readonly objects: Pick<ObjectStore, 'exists' | 'remove' | 'listVersions' | 'removeForGood'>;
};

/** An object was put into the bucket or deleted from it. */
export type ObjectEvent = { readonly key: string; readonly kind: 'created' | 'removed' };

/** How often a forced rebuild begins again when a publish overtakes it; then the queue tries later. */
const REBUILD_ATTEMPTS = 5;

/**
 * Brings the repository of some events up to date. Events come at least once, late and in any order, so
 * nothing here trusts them: they only say where to look.
 *
 * A package that its publisher put and did not commit is committed in its place.
 *
 * @param events of one repository
 */
export async function handleObjectEvents(
  dependencies: EventDependencies,
  repository: Repository,
  events: readonly (ObjectEvent & { readonly reading: KeyReading })[],
): Promise<void> {
  for (const event of events) {
    if (event.kind === 'created' && event.reading.version !== undefined) {
      await commitForDeadPublisher(dependencies, event.key, event.reading.version);
    }
  }
  if (events.some(({ reading, kind }) => reading.kind === 'rebuild' && kind === 'created')) {
    await rebuildAsAsked(dependencies, repository);
  }
  const pointer = await currentIndex(dependencies, repository, { rebuildAtMost: Number.POSITIVE_INFINITY });
  if (pointer !== undefined) await removeSuperseded(dependencies, repository, pointer);
}

/** Each change leaves an index behind, so each change looks for those that nobody reads any more. */
async function removeSuperseded(
  { objects, clock, report }: EventDependencies,
  repository: Repository,
  pointer: Pointer,
): Promise<void> {
  try {
    const folders = await indexesOf(objects, repository);
    const superseded = supersededIndexes(folders, pointer, clock.now(), { ahead: false });
    for (const { folder } of superseded) await removeIndex(objects, folder);
  } catch (error) {
    // Reconciliation does it again; the events are done.
    report({ kind: 'clean_up_failed', repository, error });
  }
}

/** Sorts events by repository; those of keys that Chartroom does not make are left out. */
export function byRepository(
  events: readonly ObjectEvent[],
): Map<Repository, (ObjectEvent & { readonly reading: KeyReading })[]> {
  const grouped = new Map<Repository, (ObjectEvent & { readonly reading: KeyReading })[]>();
  for (const event of events) {
    const reading = readKey(event.key);
    if (reading === undefined) continue;
    const group = grouped.get(reading.repository) ?? [];
    group.push({ ...event, reading });
    grouped.set(reading.repository, group);
  }
  return grouped;
}

async function commitForDeadPublisher(
  { versions, objects }: EventDependencies,
  key: string,
  id: NonNullable<KeyReading['version']>,
): Promise<void> {
  const item = await versions.get(id);
  // The package is put last, so once it is there nothing is missing. The event may be late, so look.
  if (item?.pending?.key === key && (await objects.exists(key))) await versions.commit(id, item.pending);
}

async function rebuildAsAsked(dependencies: EventDependencies, repository: Repository): Promise<void> {
  const request = rebuildRequestKey(repository);
  // A burst of requests is one object: whoever comes after the rebuild finds it gone.
  if (!(await dependencies.objects.exists(request))) return;
  for (let attempt = 0; attempt < REBUILD_ATTEMPTS; attempt += 1) {
    const outcome = await refreshIndex(dependencies, repository, {
      rebuild: true,
      rebuildAtMost: Number.POSITIVE_INFINITY,
    });
    if (outcome.kind === 'overtaken') continue;
    await dependencies.objects.remove([request]);
    return;
  }
  throw new Error(
    `the index of "${repository}" was overtaken ${REBUILD_ATTEMPTS} times while it was rebuilt`,
  );
}
