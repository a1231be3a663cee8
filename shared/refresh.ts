import { collect, inParallel } from './async-iteration.ts';
import { chartsInOrder } from './charts-in-order.ts';
import type { Clock } from './clock.ts';
import type { AuditedChange } from './domain/audit.ts';
import type { ChartName } from './domain/chart-name.ts';
import { type PartSizes, partSizes } from './domain/compose-index.ts';
import { type IndexSettings, type LiveVersion, settingsFingerprint } from './domain/entry.ts';
import { withFlip } from './domain/flips.ts';
import { countVersions, indexPieces, type Ranges, renderFragment, renderIndex } from './domain/index-file.ts';
import { IndexLost } from './domain/index-lost.ts';
import { renderListed } from './domain/lost-versions.ts';
import { firstIndexFolder, indexFolder } from './domain/object-keys.ts';
import { blocksOf, type RangeBlocks, renderBlocks } from './domain/range-blocks.ts';
import type { Repository } from './domain/repository.ts';
import { spliceIndex } from './domain/splice-index.ts';
import type { ChartVersion } from './domain/version.ts';
import type { Observing } from './happening.ts';
import { hasVersions } from './has-versions.ts';
import { indexFile, lostFile, rangesFile } from './index-objects.ts';
import { type Losses, lookBack, lookBeside, lossesSince, type Past, pastOf } from './losses.ts';
import { openPrevious } from './previous-index.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { AuditStore } from './store/audit-store.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer, PointerStore, Shrinking } from './store/pointer-store.ts';
import type { Mark, VersionItem, VersionStore } from './store/version-store.ts';
import { type IndexDraft, writeIndex } from './write-index.ts';

export type IndexDependencies = Observing & {
  readonly versions: Pick<VersionStore, 'marks' | 'ofChart' | 'ofRepository' | 'indexed'>;
  readonly pointers: PointerStore;
  readonly audit: Pick<AuditStore, 'put'>;
  readonly objects: Pick<ObjectStore, 'get' | 'put' | 'compose' | 'head' | 'list'>;
  readonly settings: IndexSettings;
  /** Asked where an index is built from all versions, and by nobody who reads one. */
  readonly settingsOf: SettingsReader;
  /** By what sizes an index is put. @default those that suit S3 */
  readonly partSizes?: PartSizes;
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
  /** An index is not yet as it should be: others were faster than its rebuild, or rebuild it now. */
  | { readonly kind: 'rebuild_put_off'; readonly repository: Repository }
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

/**
 * Of how many charts an index is spliced at most. With more, scattered over it, hardly any stretch between them is long
 * enough to be copied, so most of it would be read and sent, in thousands of small reads, and what the table has of all
 * these charts would be held at once; a rebuild streams.
 */
const SPLICED_CHARTS = 1_000;

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

/** What a refresh begins with: the pointer, and the marks, which were read after it. */
type Beginning = {
  readonly repository: Repository;
  /** When the pointer was read, in milliseconds since 1970. */
  readonly began: number;
  readonly pointer: Pointer | undefined;
  readonly marks: readonly Mark[];
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
  const { pointers, versions, settings, clock } = dependencies;
  const began = clock.now();
  const pointer = await pointers.get(repository);
  const marks = await collect(versions.marks(repository));
  const beginning = { repository, began, pointer, marks };
  const usable = pointer?.settings === settingsFingerprint(settings) && !rebuild;
  if (!usable) return await buildAnew(dependencies, beginning, rebuildAtMost, forget);
  if (marks.length === 0) return { kind: 'unchanged' };
  try {
    const outcome = await splice(dependencies, { ...beginning, pointer }, forget);
    if (outcome !== undefined) return outcome;
  } catch (error) {
    if (!(error instanceof IndexLost)) throw error;
  }
  // Mostly the index is lost because it was replaced, so long ago that it was removed too.
  const current = await pointers.get(repository);
  if (current?.folder !== pointer.folder) return { kind: 'overtaken' };
  return await buildAnew(dependencies, beginning, rebuildAtMost, forget);
}

type Forget = RefreshOptions['forget'];

/**
 * The cost of a publish: one chart is read and rendered, however many the repository has.
 *
 * @returns undefined if the index is lost, or is not to be spliced
 * @throws IndexLost if it is lost while it is read, or its ranges are damaged
 */
async function splice(
  dependencies: IndexDependencies,
  beginning: Beginning & { readonly pointer: Pointer },
  forget: Forget,
): Promise<RefreshOutcome | undefined> {
  const { objects, versions, settings, clock, partSizes: sizes = partSizes } = dependencies;
  const { repository, pointer, marks } = beginning;
  const marked = new Set(marks.map(({ name }) => name));
  if (marked.size > SPLICED_CHARTS) return undefined;
  const [previous, beside, itemsOfMarked] = await Promise.all([
    openPrevious(objects, pointer, settings, sizes),
    lookBeside(objects, repository, pointer),
    readCharts(versions, repository, marked),
  ]);
  if (previous === undefined) return undefined;
  const past = await pastOf(objects, pointer, previous.listing, beside);
  if (marked.size + past.doubtful.length > SPLICED_CHARTS) return undefined;
  // Once more where another index lists more: what that lists may have come after the first reading.
  const itemsOfDoubtful = await readCharts(versions, repository, past.doubtful);
  const charts = new Map([...itemsOfMarked, ...itemsOfDoubtful]);
  // As many of each chart as the index lists that it is spliced from, so that all of it is alike and no settings are read.
  const { perChart: newest = 0 } = pointer;
  const fragments = Array.from(marked, (name) => {
    const live = liveVersions(charts.get(name) ?? []);
    return [name, renderFragment(name, live, settings, repository, { newest })] as const;
  });
  const { pieces, blocks } = spliceIndex(previous.blocks, new Map(fragments), instant(clock), settings);
  const seen = seeing(past, forget);
  return await finish(dependencies, beginning, seen, {
    pieces,
    blocks: () => blocks,
    previous,
    newest,
    settle: () => inParallel([...charts], ([name, items]) => look(seen, name, items)),
  });
}

/** The full rebuild. */
async function buildAnew(
  dependencies: IndexDependencies,
  beginning: Beginning,
  atMost: number,
  forget: Forget,
): Promise<RefreshOutcome> {
  const { objects, versions, settings, settingsOf, clock } = dependencies;
  const { repository, pointer, marks } = beginning;
  // Before anything large is read.
  if (await hasMore(versions, repository, atMost)) return { kind: 'too_large_to_rebuild' };
  const past = await lookBack(objects, repository, pointer);
  const isNew = pointer === undefined && past.folder === undefined;
  if (isNew && marks.length === 0 && !(await hasVersions(dependencies, repository))) return { kind: 'empty' };

  const seen = seeing(past, forget);
  const { indexVersionsPerChart: newest } = await settingsOf(repository);
  const ranges: Ranges[number][] = [];
  let deleted = 0;
  async function* fragments() {
    const { names } = seen.losses;
    for await (const { name, items } of chartsInOrder(versions.ofRepository(repository), names)) {
      await look(seen, name, items);
      deleted += items.filter(({ removed, live }) => removed && live === undefined).length;
      const fragment = renderFragment(name, liveVersions(items), settings, repository, { newest });
      if (fragment !== undefined) yield fragment;
    }
  }
  return await finish(dependencies, beginning, seen, {
    pieces: indexPieces(fragments(), ranges, () => instant(clock), settings),
    blocks: () => blocksOf(ranges),
    previous: undefined,
    newest,
    settle: async () => seen.losses.count(countVersions(ranges) + deleted),
  });
}

/** Puts the index, makes it current, and clears the marks. */
async function finish(
  dependencies: IndexDependencies,
  beginning: Beginning,
  seen: Seen,
  draft: Draft,
): Promise<RefreshOutcome> {
  const { versions, audit, report } = dependencies;
  const { repository, marks } = beginning;
  const { changes } = seen;
  const flip = await makeCurrent(dependencies, beginning, seen, draft);
  if (flip === undefined) return { kind: 'overtaken' };
  for (const notice of flip.notices) await report(notice);
  try {
    await inParallel(changes, (change) => audit.put(change));
    await inParallel(marks, (mark) => versions.indexed(mark));
  } catch (error) {
    // The index is current all the same; marks that stay only make the next refresh look again.
    await report({ kind: 'clean_up_failed', repository, error });
  }
  await tellOf(dependencies, beginning, changes, flip);
  return { kind: 'refreshed', pointer: flip.pointer };
}

async function tellOf(
  { observe, clock }: IndexDependencies,
  { repository, began, marks }: Beginning,
  changes: readonly AuditedChange[],
  { pointer: { sequence, sizeBytes, versions }, gigabytes: collectionGigabytes }: Flipped,
): Promise<void> {
  const now = clock.now();
  const requestIds = new Set(changes.flatMap(({ by }) => by.requestId ?? []));
  await observe?.({
    kind: 'refreshed',
    ...{ repository, sequence, sizeBytes, versions, collectionGigabytes },
    marks: marks.length,
    durationMs: now - began,
    oldestMarkMs: waitedFor(changes, now),
    requestIds: [...requestIds],
  });
}

/**
 * How long the oldest of some changes has waited, in milliseconds: since it was begun, which is the only instant that is
 * kept of it and comes before its mark.
 *
 * @returns undefined if there is none
 */
export function waitedFor(changes: readonly { readonly at: string }[], now: number): number | undefined {
  const [oldest] = changes.map(({ at }) => Date.parse(at)).sort((a, b) => a - b);
  // Another's clock may be ahead.
  return oldest === undefined ? undefined : Math.max(0, now - oldest);
}

/** An index of nothing, which is of no time. */
export function renderEmpty(settings: IndexSettings): Uint8Array {
  return renderIndex([], '1970-01-01T00:00:00Z', settings).bytes;
}

/** What came before, and what is looked at in every chart that is read. */
type Seen = { readonly past: Past; readonly losses: Losses; readonly changes: AuditedChange[] };

const seeing = (past: Past, forget: Forget): Seen => ({
  past,
  losses: lossesSince(past, forget),
  changes: [],
});

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

/** The items of some charts. */
async function readCharts(
  versions: IndexDependencies['versions'],
  repository: Repository,
  names: Iterable<ChartName>,
): Promise<ReadonlyMap<ChartName, readonly VersionItem[]>> {
  const charts = new Map<ChartName, readonly VersionItem[]>();
  await inParallel([...names], async (name) => {
    charts.set(name, await collect(versions.ofChart(repository, name)));
  });
  return charts;
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

/** The index that is to be made current. */
type Draft = Pick<IndexDraft, 'pieces' | 'previous'> & {
  /** How many versions of each chart it lists at most; 0 for all. */
  readonly newest: number;
  /** Where its fragments are, once all pieces were taken. */
  readonly blocks: () => RangeBlocks;
  /** Then looks at what has not been looked at. */
  readonly settle: () => Promise<void>;
};

/** The new pointer, what was seen, and how large the repository's items are, where the table tells it. */
type Flipped = {
  readonly pointer: Pointer;
  readonly notices: readonly Notice[];
  readonly gigabytes: number | undefined;
};

/** @returns the new pointer and what was seen, or undefined if another index became current meanwhile */
async function makeCurrent(
  { pointers, objects, settings, clock, newId, partSizes: sizes = partSizes }: IndexDependencies,
  { repository, began, pointer, marks }: Beginning,
  { past, losses }: Seen,
  { pieces, previous, newest, blocks, settle }: Draft,
): Promise<Flipped | undefined> {
  const isFirst = pointer === undefined;
  const sequence = past.sequence + 1;
  const folder = (isFirst ? firstIndexFolder : indexFolder)(repository, sequence, newId());
  const json = { contentType: 'application/json' };
  const sizeBytes = await writeIndex(
    objects,
    `${folder}${indexFile}`,
    {
      pieces,
      previous,
      first: async () => {
        await settle();
        const lost = losses.changed();
        // Before the index: beside one that is whole, no list means that nothing was lost.
        if (lost) await objects.put(`${folder}${lostFile}`, Buffer.from(renderListed(lost)), json);
      },
      beside: () => objects.put(`${folder}${rangesFile}`, renderBlocks(blocks()), json),
    },
    sizes,
  );

  const [found, lost] = [losses.found(), losses.changed()];
  const versions = countVersions(blocks());
  const shrinking =
    found > 0 && past.folder !== undefined ? { before: past.folder, after: folder } : undefined;
  const remembered = losses.forgets ? [] : (pointer?.shrank ?? []);
  const list = lost === undefined ? pointer?.lost : lost.size > 0 ? folder : undefined;
  const next: Pointer = {
    sequence,
    folder,
    sizeBytes,
    versions,
    ...(newest > 0 && { perChart: newest }),
    settings: settingsFingerprint(settings),
    shrank: [...remembered, ...(shrinking ? [shrinking] : [])].slice(0, SHRINKINGS),
    ...(list !== undefined && { lost: list }),
    flips: withFlip(pointer?.flips ?? [], { sequence, began, at: clock.now(), marks: marks.length }),
  };
  let gigabytes: number | undefined;
  const measured = (size: number) => {
    gigabytes = size;
  };
  if (!(await pointers.flip(repository, pointer, next, measured))) return undefined;
  const notices: Notice[] = [];
  // A first index of all may have been put by somebody who then never made it current.
  if (isFirst && past.folder !== undefined && (past.sequence > 0 || found > 0))
    notices.push({ kind: 'pointer_lost', repository, folder: past.folder });
  if (shrinking) notices.push({ kind: 'index_shrank', repository, versions: found, ...shrinking });
  return { pointer: next, notices, gigabytes };
}

/** What readers are to see of some items. */
export function liveVersions(items: readonly VersionItem[]): LiveVersion[] {
  return items.flatMap(({ name, version, live }) => (live === undefined ? [] : [{ name, version, ...live }]));
}

// Whole seconds, as `helm repo index` and ChartMuseum write it.
function instant(clock: Clock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}
