import { inParallel } from './async-iteration.ts';
import { prefixes } from './contract.ts';
import { currentIndex } from './current-index.ts';
import { supersededIndexes } from './domain/leftovers.ts';
import { inboxFolder, type KeyReading, readKey, rebuildRequestKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { type InboxDependencies, publishFromInbox, setAside } from './inbox.ts';
import type { RepositoryGate } from './known-repositories.ts';
import { indexesOf, removeIndex } from './published-index.ts';
import { isPutOff, putOff, rebuildIndex } from './rebuild-index.ts';
import type { IndexDependencies } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';
import type { VersionStore } from './store/version-store.ts';
import { trimChart } from './upload.ts';
import { listsAsManyAsSet } from './versions-in-index.ts';

export type EventDependencies = IndexDependencies &
  InboxDependencies & {
    readonly isGoing: RepositoryGate['isGoing'];
    readonly versions: Pick<VersionStore, 'get' | 'commit'>;
    readonly objects: Pick<ObjectStore, 'exists' | 'list' | 'remove' | 'listVersions' | 'removeForGood'>;
  };

/** An object was put into the bucket or deleted from it. */
export type ObjectEvent = { readonly key: string; readonly kind: 'created' | 'removed' };

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
  // Nothing may be put any more into what is being removed; what its events could tell of is removed too.
  if (await dependencies.isGoing(repository)) return;
  const created = events.filter(({ kind }) => kind === 'created');
  await inParallel(created, async ({ key, reading }) => {
    if (reading.version !== undefined) await commitForDeadPublisher(dependencies, key, reading.version);
  });
  const uploads = new Set(created.filter(({ reading }) => isDelivered(reading)).map(({ key }) => key));
  const isRebuild = created.some(({ reading }) => reading.kind === 'rebuild');
  if (isRebuild) for await (const key of waitingUploads(dependencies, repository)) uploads.add(key);
  const failures = await publishUploads(dependencies, repository, uploads);
  await keepNewest(dependencies, repository, created);
  if (isRebuild && !(await rebuildAsAsked(dependencies, repository))) failures.push(putOff(repository));
  const current = await currentIndex(dependencies, repository, { rebuildAtMost: Number.POSITIVE_INFINITY });
  const pointer = current && (await rebuildAsSet(dependencies, repository, current));
  if (pointer !== undefined) await removeSuperseded(dependencies, repository, pointer);
  // Only now: what went well is in the index, and the events come again for the rest.
  if (failures.length > 0) throw failures[0];
}

const isDelivered = (reading: KeyReading | undefined) =>
  reading?.kind === 'upload' || reading?.kind === 'stray';

/** What lies in the inbox of a repository: an event may have been lost. */
export async function* waitingUploads(
  { objects }: { readonly objects: Pick<ObjectStore, 'list'> },
  repository: Repository,
  { olderThan = Number.POSITIVE_INFINITY }: { readonly olderThan?: number } = {},
): AsyncGenerator<string> {
  for await (const { key, modified } of objects.list(inboxFolder(repository))) {
    if (isDelivered(readKey(key)) && modified < olderThan) yield key;
  }
}

/**
 * One after the other: each may hold a package of the largest size in memory.
 *
 * @returns why some could not be worked on
 */
async function publishUploads(
  dependencies: EventDependencies,
  repository: Repository,
  keys: ReadonlySet<string>,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const key of keys) {
    try {
      if (readKey(key)?.kind === 'stray') await setAside(dependencies, key, 'invalid_package');
      else await publishFromInbox(dependencies, repository, key);
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

/** What a publisher deletes after its publish, in place of one that died before it did. */
async function keepNewest(
  dependencies: EventDependencies,
  repository: Repository,
  created: readonly { readonly reading: KeyReading }[],
): Promise<void> {
  const charts = new Set(created.flatMap(({ reading }) => reading.version?.name ?? []));
  if (charts.size === 0) return;
  const { maxVersionsPerChart } = await dependencies.settingsOf(repository);
  for (const name of charts) await trimChart(dependencies, repository, name, maxVersionsPerChart);
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
    // After a burst they are many.
    await inParallel(superseded, ({ folder }) => removeIndex(objects, folder));
  } catch (error) {
    // Reconciliation does it again; the events are done.
    await report({ kind: 'clean_up_failed', repository, error });
  }
}

/** Moves out of the inbox what names no repository there can be: it is not dropped. */
export async function setMisplacedAside(
  dependencies: EventDependencies,
  events: readonly ObjectEvent[],
): Promise<void> {
  for (const { key, kind } of events) {
    const isObject = kind === 'created' && key.startsWith(prefixes.inbox) && !key.endsWith('/');
    if (isObject && readKey(key) === undefined) await setAside(dependencies, key, 'invalid_repository');
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

/** @returns false if it is to be tried later */
async function rebuildAsAsked(dependencies: EventDependencies, repository: Repository): Promise<boolean> {
  const request = rebuildRequestKey(repository);
  // A burst of requests is one object: whoever comes after the rebuild finds it gone.
  if (!(await dependencies.objects.exists(request))) return true;
  if (isPutOff(await rebuildIndex(dependencies, repository))) return false;
  await dependencies.objects.remove([request]);
  return true;
}

/**
 * The settings may have changed, of the repository or the deployment, and nobody asked. The events are done all the
 * same: where others go first, the next run or the daily pass finds it again.
 *
 * @returns the last pointer that was seen
 */
async function rebuildAsSet(
  dependencies: EventDependencies,
  repository: Repository,
  current: Pointer,
): Promise<Pointer> {
  let pointer = current;
  // Again after a rebuild: who met it under way left to it what was set meanwhile.
  while (!(await listsAsManyAsSet(dependencies, repository, pointer))) {
    const outcome = await rebuildIndex(dependencies, repository);
    if (isPutOff(outcome)) await dependencies.report({ kind: 'rebuild_put_off', repository });
    if (outcome.kind !== 'refreshed') break;
    pointer = outcome.pointer;
  }
  return pointer;
}
