import { collect, inParallel } from './async-iteration.ts';
import type { Clock } from './clock.ts';
import type { ChartName } from './domain/chart-name.ts';
import type { IndexSettings, LiveVersion } from './domain/entry.ts';
import {
  countVersions,
  type Fragment,
  type IndexFile,
  indexSize,
  readFragments,
  readRanges,
  renderFragment,
  renderIndex,
  renderRanges,
  settingsFingerprint,
  spliceIndex,
} from './domain/index-file.ts';
import { indexFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { indexesOf, indexFile, openIndex, rangesFile } from './published-index.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer, PointerStore, Shrinking } from './store/pointer-store.ts';
import type { Mark, VersionItem, VersionStore } from './store/version-store.ts';

export type IndexDependencies = {
  readonly versions: Pick<VersionStore, 'marks' | 'ofChart' | 'ofRepository' | 'indexed'>;
  readonly pointers: PointerStore;
  readonly objects: Pick<ObjectStore, 'get' | 'put' | 'head' | 'list'>;
  readonly settings: IndexSettings;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Hears of what somebody should look at, though the call goes on. */
  readonly report: (notice: Notice) => void;
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

/** How many shrinkings are remembered; the first ones have lost the most. */
const SHRINKINGS = 5;

export type RefreshOptions = {
  /** How many versions may be read here and now to build the index anew. */
  readonly rebuildAtMost: number;
  /** Build it anew though there is one. @default false */
  readonly rebuild?: boolean;
  /** Whether the shrinkings of earlier indexes were looked at, and need be kept no longer. @default false */
  readonly forgetShrinkings?: boolean;
};

/**
 * Makes the index say what the table says, by one attempt that may run at any time, twice, or be cut off
 * anywhere: read the pointer, read the marks, render the marked charts anew, put the spliced index, flip
 * the pointer if nobody else did, clear exactly the marks that were read.
 *
 * A mark is cleared only after an index that holds its state is current. And since the marks are read
 * after the pointer, and the flip succeeds only on that pointer, the flip from `sequence` n to n + 1
 * proves that its marks were read while n was current: currentIndex rests on that.
 *
 * Without an index to start from (none yet, lost, or rendered with other settings) it is built from all
 * versions.
 */
export async function refreshIndex(
  dependencies: IndexDependencies,
  repository: Repository,
  { rebuildAtMost, rebuild = false, forgetShrinkings = false }: RefreshOptions,
): Promise<RefreshOutcome> {
  const { pointers, versions, settings, report } = dependencies;
  const pointer = await pointers.get(repository);
  const marks = await collect(versions.marks(repository));
  const usable = pointer?.settings === settingsFingerprint(settings) && !rebuild;
  if (usable && marks.length === 0) return { kind: 'unchanged' };

  const previous = usable ? await loadIndex(dependencies, pointer) : undefined;
  const next =
    previous === undefined
      ? await renderAll(dependencies, repository, rebuildAtMost)
      : await renderMarked(dependencies, repository, previous, marks);
  if (next === undefined) return { kind: 'too_large_to_rebuild' };
  if (pointer === undefined && next.index.ranges.length === 0 && marks.length === 0) return { kind: 'empty' };

  const flip = await makeCurrent(dependencies, repository, { pointer, forgetShrinkings }, next);
  if (flip === undefined) return { kind: 'overtaken' };
  for (const notice of flip.notices) report(notice);
  try {
    await inParallel(marks, (mark) => versions.indexed(mark));
  } catch (error) {
    // The index is current all the same; marks that stay only make the next refresh look again.
    report({ kind: 'clean_up_failed', repository, error });
  }
  return { kind: 'refreshed', pointer: flip.pointer };
}

/** An index, and how many versions the one before it lists that nobody deleted and that are not there. */
type Rendered = { readonly index: IndexFile; readonly missingFrom: (before: { versions: number }) => number };

/** The cost of a publish: one chart is read and rendered, however many the repository has. */
async function renderMarked(
  { versions, settings, clock }: IndexDependencies,
  repository: Repository,
  previous: IndexFile,
  marks: readonly Mark[],
): Promise<Rendered> {
  const names = [...new Set(marks.map(({ name }) => name))];
  const listed = readFragments(previous, names, settings.format);
  const changes = new Map<ChartName, Fragment | undefined>();
  let missing = 0;
  await inParallel(names, async (name) => {
    const items = await collect(versions.ofChart(repository, name));
    // A version that was deleted has a tombstone until an index without it is current.
    const known = new Set(items.map(({ version }) => version));
    missing += listed.get(name)?.filter(({ version }) => !known.has(version)).length ?? 0;
    changes.set(name, renderFragment(name, liveVersions(items), settings, repository));
  });
  return { index: spliceIndex(previous, changes, instant(clock), settings), missingFrom: () => missing };
}

/** The full rebuild. @returns undefined if there are more versions than `atMost` */
async function renderAll(
  { versions, settings, clock }: IndexDependencies,
  repository: Repository,
  atMost: number,
): Promise<Rendered | undefined> {
  const fragments: Fragment[] = [];
  let count = 0;
  let deleted = 0;
  async function* countedItems() {
    for await (const item of versions.ofRepository(repository)) {
      count += 1;
      if (count > atMost) return;
      yield item;
    }
  }
  for await (const { name, items } of byChart(countedItems())) {
    deleted += items.filter(({ removed, live }) => removed && live === undefined).length;
    const fragment = renderFragment(name, liveVersions(items), settings, repository);
    if (fragment !== undefined) fragments.push(fragment);
  }
  if (count > atMost) return undefined;
  const index = renderIndex(fragments, instant(clock), settings);
  // By number alone, since the one before may be lost: what was published meanwhile can hide a loss.
  const left = countVersions(index.ranges) + deleted;
  return { index, missingFrom: (before) => Math.max(0, before.versions - left) };
}

/** Groups the items of a repository. Charts come one after the other, so only one chart's are held. */
export async function* byChart(items: AsyncIterable<VersionItem>) {
  let chart: VersionItem[] = [];
  for await (const item of items) {
    const [first] = chart;
    if (first !== undefined && first.name !== item.name) {
      yield { name: first.name, items: chart };
      chart = [];
    }
    chart.push(item);
  }
  const [first] = chart;
  if (first !== undefined) yield { name: first.name, items: chart };
}

/** @returns the new pointer and what was seen, or undefined if another index became current meanwhile */
async function makeCurrent(
  dependencies: IndexDependencies,
  repository: Repository,
  previous: { readonly pointer: Pointer | undefined; readonly forgetShrinkings: boolean },
  { index: { bytes, ranges }, missingFrom }: Rendered,
): Promise<{ pointer: Pointer; notices: Notice[] } | undefined> {
  const { pointers, objects, settings, newId } = dependencies;
  const { pointer } = previous;
  const lost = pointer === undefined ? await newestIndex(objects, repository) : undefined;
  const before = pointer ?? lost;
  const sequence = (before?.sequence ?? 0) + 1;
  const folder = indexFolder(repository, sequence, newId());
  await Promise.all([
    objects.put(`${folder}${indexFile}`, bytes, { contentType: 'application/x-yaml' }),
    objects.put(`${folder}${rangesFile}`, Buffer.from(renderRanges(ranges)), {
      contentType: 'application/json',
    }),
  ]);
  const versions = countVersions(ranges);
  const missing = before === undefined ? 0 : missingFrom(before);
  const remembered = previous.forgetShrinkings ? [] : (pointer?.shrank ?? []);
  const shrinking =
    before !== undefined && missing > 0 ? { before: before.folder, after: folder } : undefined;
  const next: Pointer = {
    sequence,
    folder,
    sizeBytes: bytes.length,
    versions,
    settings: settingsFingerprint(settings),
    shrank: [...remembered, ...(shrinking ? [shrinking] : [])].slice(0, SHRINKINGS),
  };
  if (!(await pointers.flip(repository, pointer, next))) return undefined;
  const notices: Notice[] = [];
  // The first index of all may have been put by somebody who then never made it current.
  if (lost !== undefined && lost.sequence > 1)
    notices.push({ kind: 'pointer_lost', repository, folder: lost.folder });
  if (shrinking) notices.push({ kind: 'index_shrank', repository, versions: missing, ...shrinking });
  return { pointer: next, notices };
}

/**
 * The index that a lost pointer named, most likely: the newest that is whole. It is looked for while a
 * repository has no pointer, so mostly once. One of sequence 1 proves nothing: somebody may have put the
 * first index of all and never made it current.
 */
async function newestIndex(objects: IndexDependencies['objects'], repository: Repository) {
  const folders = (await indexesOf(objects, repository)).filter(({ sequence }) => sequence > 1);
  for (const { folder, sequence } of folders.sort((a, b) => b.sequence - a.sequence)) {
    const index = await openIndex(objects, folder);
    if (index !== undefined) return { folder, sequence, versions: countVersions(index.ranges) };
  }
  return undefined;
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
