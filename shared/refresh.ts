import { collect, inParallel } from './async-iteration.ts';
import { chartsInOrder } from './charts-in-order.ts';
import type { Clock } from './clock.ts';
import type { AuditedChange } from './domain/audit.ts';
import type { ChartName } from './domain/chart-name.ts';
import { type IndexSettings, type LiveVersion, settingsFingerprint } from './domain/entry.ts';
import { type Flip, withFlip } from './domain/flips.ts';
import {
  countVersions,
  type Fragment,
  type IndexFile,
  indexSize,
  readRanges,
  renderFragment,
  renderIndex,
  renderRanges,
  spliceIndex,
} from './domain/index-file.ts';
import { renderListed } from './domain/lost-versions.ts';
import { firstIndexFolder, indexFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { ChartVersion } from './domain/version.ts';
import { indexFile, lostFile, rangesFile } from './index-objects.ts';
import { type Losses, lookBack, lossesSince, type Past } from './losses.ts';
import type { AuditStore } from './store/audit-store.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer, PointerStore, Shrinking } from './store/pointer-store.ts';
import type { Mark, VersionItem, VersionStore } from './store/version-store.ts';

export type IndexDependencies = {
  readonly versions: Pick<VersionStore, 'marks' | 'ofChart' | 'ofRepository' | 'indexed'>;
  readonly pointers: PointerStore;
  readonly audit: Pick<AuditStore, 'put'>;
  readonly objects: Pick<ObjectStore, 'get' | 'put' | 'head' | 'list'>;
  readonly settings: IndexSettings;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Hears of what somebody should look at, though the call goes on. */
  readonly report: (notice: Notice) => void | Promise<void>;
};

/** What the stores showed that should not be. */
export type Notice =
  /** An index lists fewer versions than the one before, less those deleted since. */
  | (Shrinking & {
      readonly kind: 'index_shrank';
      readonly repository: Repository;
      readonly versions: number;
    })
  /** There was no pointer, and an index that one must have named. */
  | { readonly kind: 'pointer_lost'; readonly repository: Repository; readonly folder: string }
  /** Something that others will do again failed after the work was done. */
  | { readonly kind: 'clean_up_failed'; readonly repository: Repository; readonly error: unknown };

export type RefreshOutcome =
  /** This index is current, and its marks were read after the call began. */
  | { readonly kind: 'refreshed'; readonly pointer: Pointer }
  /** There was no mark. */
  | { readonly kind: 'unchanged' }
  /** The repository has no version and never had an index. */
  | { readonly kind: 'empty' }
  /** Somebody else made another index current meanwhile: begin again. */
  | { readonly kind: 'overtaken' }
  /** The index must be built from all versions, and these are more than `rebuildAtMost`. */
  | { readonly kind: 'too_large_to_rebuild' };

/** Of how many shrinkings the indexes are kept; the first ones have lost the most. What was lost is listed. */
const SHRINKINGS = 5;

export type RefreshOptions = {
  /** How many versions may be read here and now to build the index anew. */
  readonly rebuildAtMost: number;
  /** Build it anew though there is one. @default false */
  readonly rebuild?: boolean;
  /**
   * Given by a repair: whether a lost version was told of and cannot come back, so that it need be
   * remembered no longer. Where no other is lost, nor are earlier shrinkings remembered.
   */
  readonly forget?: ((name: ChartName, version: ChartVersion) => boolean) | undefined;
};

/**
 * Makes the index say what the table says, by one attempt that may run at any time, twice, or be cut off
 * anywhere: read the pointer, read the marks, render the marked charts anew, put the spliced index, flip
 * the pointer if nobody else did, write what changed into the audit, clear exactly the marks that were read.
 *
 * A mark is cleared only after an index that holds its state is current and the audit has its changes: they
 * were read after the mark, and what came since has another token. And since the marks are read
 * after the pointer, and the flip succeeds only on that pointer, the flip from `sequence` n to n + 1
 * proves that its marks were read while n was current: currentIndex rests on that.
 *
 * Without an index to start from (none yet, lost, or rendered with other settings) it is built from all
 * versions.
 */
export async function refreshIndex(
  dependencies: IndexDependencies,
  repository: Repository,
  { rebuildAtMost, rebuild = false, forget }: RefreshOptions,
): Promise<RefreshOutcome> {
  const { pointers, versions, audit, settings, report, clock } = dependencies;
  const began = clock.now();
  const pointer = await pointers.get(repository);
  const marks = await collect(versions.marks(repository));
  const usable = pointer?.settings === settingsFingerprint(settings) && !rebuild;
  if (usable && marks.length === 0) return { kind: 'unchanged' };

  const previous = usable ? await loadIndex(dependencies, pointer) : undefined;
  // Before anything large is read.
  const isTooLarge = previous === undefined && (await hasMore(versions, repository, rebuildAtMost));
  if (isTooLarge) return { kind: 'too_large_to_rebuild' };
  const past = await lookBack(dependencies, repository, pointer, previous);
  const losses = lossesSince(past, forget);
  const changes: AuditedChange[] = [];
  const seen = { losses, changes };
  const index =
    previous === undefined
      ? await renderAll(dependencies, repository, seen)
      : await renderMarked(dependencies, repository, { previous, marks, also: past.doubtful }, seen);
  const isNew = pointer === undefined && past.folder === undefined;
  if (isNew && index.ranges.length === 0 && marks.length === 0) return { kind: 'empty' };

  const from = { pointer, past, losses, made: { began, marks: marks.length } };
  const flip = await makeCurrent(dependencies, repository, from, index);
  if (flip === undefined) return { kind: 'overtaken' };
  for (const notice of flip.notices) await report(notice);
  try {
    await inParallel(changes, (change) => audit.put(change));
    await inParallel(marks, (mark) => versions.indexed(mark));
  } catch (error) {
    // The index is current all the same; marks that stay only make the next refresh look again.
    await report({ kind: 'clean_up_failed', repository, error });
  }
  return { kind: 'refreshed', pointer: flip.pointer };
}

/** An index of nothing, which is of no time. */
export function renderEmpty(settings: IndexSettings): Uint8Array {
  return renderIndex([], '1970-01-01T00:00:00Z', settings).bytes;
}

/** What is looked at in every chart that is read. */
type Seen = { readonly losses: Losses; readonly changes: AuditedChange[] };

async function look(
  { losses, changes }: Seen,
  name: ChartName,
  items: readonly VersionItem[],
): Promise<void> {
  for (const { repository, version, changes: ofVersion = [] } of items) {
    changes.push(...ofVersion.map((change) => ({ ...change, repository, name, version })));
  }
  await losses.look(name, items);
}

/** The cost of a publish: one chart is read and rendered, however many the repository has. */
async function renderMarked(
  { versions, settings, clock }: IndexDependencies,
  repository: Repository,
  { previous, marks, also }: { previous: IndexFile; marks: readonly Mark[]; also: readonly ChartName[] },
  seen: Seen,
): Promise<IndexFile> {
  const marked = new Set(marks.map(({ name }) => name));
  const changes = new Map<ChartName, Fragment | undefined>();
  await inParallel([...new Set([...marked, ...also])], async (name) => {
    const items = await collect(versions.ofChart(repository, name));
    await look(seen, name, items);
    if (marked.has(name)) changes.set(name, renderFragment(name, liveVersions(items), settings, repository));
  });
  return spliceIndex(previous, changes, instant(clock), settings);
}

/** The full rebuild. */
async function renderAll(
  { versions, settings, clock }: IndexDependencies,
  repository: Repository,
  seen: Seen,
): Promise<IndexFile> {
  const { losses } = seen;
  const fragments: Fragment[] = [];
  let deleted = 0;
  for await (const { name, items } of chartsInOrder(versions.ofRepository(repository), losses.names)) {
    await look(seen, name, items);
    deleted += items.filter(({ removed, live }) => removed && live === undefined).length;
    const fragment = renderFragment(name, liveVersions(items), settings, repository);
    if (fragment !== undefined) fragments.push(fragment);
  }
  const index = renderIndex(fragments, instant(clock), settings);
  losses.count(countVersions(index.ranges) + deleted);
  return index;
}

/** Whether a repository has more versions than so many. */
async function hasMore(
  versions: IndexDependencies['versions'],
  repository: Repository,
  than: number,
): Promise<boolean> {
  if (than === Number.POSITIVE_INFINITY) return false;
  let count = 0;
  for await (const _item of versions.ofRepository(repository)) {
    count += 1;
    if (count > than) return true;
  }
  return false;
}

/** @returns the new pointer and what was seen, or undefined if another index became current meanwhile */
async function makeCurrent(
  { pointers, objects, settings, newId, clock }: IndexDependencies,
  repository: Repository,
  {
    pointer,
    past,
    losses,
    made,
  }: {
    pointer: Pointer | undefined;
    past: Past;
    losses: Losses;
    made: Pick<Flip, 'began' | 'marks'>;
  },
  { bytes, ranges }: IndexFile,
): Promise<{ pointer: Pointer; notices: Notice[] } | undefined> {
  const found = losses.found();
  const isFirst = pointer === undefined;
  const sequence = past.sequence + 1;
  const folder = (isFirst ? firstIndexFolder : indexFolder)(repository, sequence, newId());
  const lost = losses.changed();
  if (lost !== undefined) {
    // Before the index: beside one that is whole, no list means that nothing was lost.
    const list = Buffer.from(renderListed(lost));
    await objects.put(`${folder}${lostFile}`, list, { contentType: 'application/json' });
  }
  await Promise.all([
    objects.put(`${folder}${indexFile}`, bytes, { contentType: 'application/x-yaml' }),
    objects.put(`${folder}${rangesFile}`, Buffer.from(renderRanges(ranges)), {
      contentType: 'application/json',
    }),
  ]);

  const versions = countVersions(ranges);
  const shrinking =
    found > 0 && past.folder !== undefined ? { before: past.folder, after: folder } : undefined;
  const remembered = losses.forgets ? [] : (pointer?.shrank ?? []);
  const list = lost === undefined ? pointer?.lost : lost.size > 0 ? folder : undefined;
  const next: Pointer = {
    sequence,
    folder,
    sizeBytes: bytes.length,
    versions,
    settings: settingsFingerprint(settings),
    shrank: [...remembered, ...(shrinking ? [shrinking] : [])].slice(0, SHRINKINGS),
    ...(list !== undefined && { lost: list }),
    flips: withFlip(pointer?.flips ?? [], { sequence, ...made, at: clock.now() }),
  };
  if (!(await pointers.flip(repository, pointer, next))) return undefined;
  const notices: Notice[] = [];
  // A first index of all may have been put by somebody who then never made it current.
  if (isFirst && past.folder !== undefined && (past.sequence > 0 || found > 0))
    notices.push({ kind: 'pointer_lost', repository, folder: past.folder });
  if (shrinking) notices.push({ kind: 'index_shrank', repository, versions: found, ...shrinking });
  return { pointer: next, notices };
}

/** @returns undefined if the index or its ranges are lost, or do not fit each other */
async function loadIndex(
  { objects, settings }: IndexDependencies,
  { folder }: Pointer,
): Promise<IndexFile | undefined> {
  const [bytes, rows] = await Promise.all([
    objects.get(`${folder}${indexFile}`),
    objects.get(`${folder}${rangesFile}`),
  ]);
  const ranges = rows && readRanges(rows);
  if (bytes === undefined || ranges === undefined || bytes.length !== indexSize(ranges, settings)) {
    return undefined;
  }
  return { bytes, ranges };
}

/** What readers are to see of some items. */
export function liveVersions(items: readonly VersionItem[]): LiveVersion[] {
  return items.flatMap(({ name, version, live }) => (live === undefined ? [] : [{ name, version, ...live }]));
}

// Whole seconds, as `helm repo index` and ChartMuseum write it.
function instant(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}
