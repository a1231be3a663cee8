import type { Clock } from './clock.ts';
import type { ChartName } from './domain/chart-name.ts';
import type { IndexSettings, LiveVersion } from './domain/entry.ts';
import {
  countVersions,
  type Fragment,
  type IndexFile,
  readRanges,
  renderFragment,
  renderIndex,
  renderRanges,
  settingsFingerprint,
  spliceIndex,
} from './domain/index-file.ts';
import { indexFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer, PointerStore } from './store/pointer-store.ts';
import type { Mark, VersionItem, VersionStore } from './store/version-store.ts';

export type IndexDependencies = {
  readonly versions: Pick<VersionStore, 'marks' | 'ofChart' | 'ofRepository' | 'indexed'>;
  readonly pointers: PointerStore;
  readonly objects: Pick<ObjectStore, 'get' | 'put'>;
  readonly settings: IndexSettings;
  readonly clock: Clock;
  readonly newId: () => string;
};

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

// The index and its ranges, side by side in one folder (shared/domain/object-keys.ts).
export const indexFile = 'index.yaml';
const rangesFile = 'ranges.json';

// Enough to hide the latency of single reads and writes, far from a partition's 1,000 writes a second.
const PARALLEL = 16;

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
 *
 * @param rebuildAtMost how many versions may be read for that here and now
 */
export async function refreshIndex(
  dependencies: IndexDependencies,
  repository: Repository,
  { rebuildAtMost, rebuild = false }: { rebuildAtMost: number; rebuild?: boolean },
): Promise<RefreshOutcome> {
  const { pointers, versions, settings } = dependencies;
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
  if (pointer === undefined && next.ranges.length === 0 && marks.length === 0) return { kind: 'empty' };

  const flipped = await makeCurrent(dependencies, repository, pointer, next);
  if (flipped === undefined) return { kind: 'overtaken' };
  await inParallel(marks, (mark) => versions.indexed(mark));
  return { kind: 'refreshed', pointer: flipped };
}

/** The cost of a publish: one chart is read and rendered, however many the repository has. */
async function renderMarked(
  { versions, settings, clock }: IndexDependencies,
  repository: Repository,
  previous: IndexFile,
  marks: readonly Mark[],
): Promise<IndexFile> {
  const names = [...new Set(marks.map(({ name }) => name))];
  const changes = new Map<ChartName, Fragment | undefined>();
  await inParallel(names, async (name) => {
    const items = await collect(versions.ofChart(repository, name));
    changes.set(name, renderFragment(name, liveVersions(items), settings, repository));
  });
  return spliceIndex(previous, changes, instant(clock), settings);
}

/** The full rebuild. @returns undefined if there are more versions than `atMost` */
async function renderAll(
  { versions, settings, clock }: IndexDependencies,
  repository: Repository,
  atMost: number,
): Promise<IndexFile | undefined> {
  const fragments: Fragment[] = [];
  let chart: VersionItem[] = [];
  let count = 0;
  const finishChart = () => {
    const [first] = chart;
    const fragment = first && renderFragment(first.name, liveVersions(chart), settings, repository);
    if (fragment !== undefined) fragments.push(fragment);
    chart = [];
  };
  // Charts come one after the other, so only one chart's items are held beside the rendered bytes.
  for await (const item of versions.ofRepository(repository)) {
    count += 1;
    if (count > atMost) return undefined;
    if (chart[0]?.name !== item.name) finishChart();
    chart.push(item);
  }
  finishChart();
  return renderIndex(fragments, instant(clock), settings);
}

/** @returns the new pointer, or undefined if another index became current meanwhile */
async function makeCurrent(
  { pointers, objects, settings, newId }: IndexDependencies,
  repository: Repository,
  previous: Pointer | undefined,
  { bytes, ranges }: IndexFile,
): Promise<Pointer | undefined> {
  const sequence = (previous?.sequence ?? 0) + 1;
  const folder = indexFolder(repository, sequence, newId());
  await Promise.all([
    objects.put(`${folder}${indexFile}`, bytes, { contentType: 'application/x-yaml' }),
    objects.put(`${folder}${rangesFile}`, Buffer.from(renderRanges(ranges)), {
      contentType: 'application/json',
    }),
  ]);
  const next: Pointer = {
    sequence,
    folder,
    sizeBytes: bytes.length,
    versions: countVersions(ranges),
    settings: settingsFingerprint(settings),
  };
  return (await pointers.flip(repository, previous, next)) ? next : undefined;
}

/** @returns undefined if the index or its ranges are lost */
async function loadIndex(
  { objects }: IndexDependencies,
  { folder }: Pointer,
): Promise<IndexFile | undefined> {
  const [bytes, ranges] = await Promise.all([
    objects.get(`${folder}${indexFile}`),
    objects.get(`${folder}${rangesFile}`),
  ]);
  if (bytes === undefined || ranges === undefined) return undefined;
  return { bytes, ranges: readRanges(Buffer.from(ranges).toString()) };
}

function liveVersions(items: readonly VersionItem[]): LiveVersion[] {
  return items.flatMap(({ name, version, live }) => (live === undefined ? [] : [{ name, version, ...live }]));
}

// Whole seconds, as `helm repo index` and ChartMuseum write it.
function instant(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker));
}
