import { collect, inParallel } from './async-iteration.ts';
import { type ChartItems, chartsInOrder } from './charts-in-order.ts';
import type { ChartName } from './domain/chart-name.ts';
import { settingsFingerprint } from './domain/entry.ts';
import { indexSize, type ListedVersion, renderFragment } from './domain/index-file.ts';
import { namedKeys, supersededIndexes, unnamedObjects } from './domain/leftovers.ts';
import { knownVersions, lostVersions } from './domain/lost-versions.ts';
import { chartFolders, filesKey, packagesOf, versionFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { Finding } from './findings.ts';
import {
  doubting,
  type Fragments,
  heldListing,
  type IndexFolders,
  indexesOf,
  joinListings,
  type Listing,
  listedBeforeLoss,
  listedBeyond,
  newestListing,
  openIndex,
  openListing,
  openLostVersions,
} from './published-index.ts';
import { type IndexDependencies, liveVersions } from './refresh.ts';
import type { ListedObject, ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';
import type { Counts } from './store/repository-store.ts';
import type { VersionItem, VersionStore } from './store/version-store.ts';

export type InspectDependencies = Pick<IndexDependencies, 'settings' | 'clock'> & {
  readonly pointers: Pick<IndexDependencies['pointers'], 'get'>;
  readonly versions: Pick<VersionStore, 'get' | 'ofChart' | 'ofRepository'>;
  readonly objects: Pick<ObjectStore, 'get' | 'head' | 'exists' | 'list' | 'folders'>;
};

/** What an inspection tells, one after the other. */
export type Observation =
  | { readonly kind: 'finding'; readonly finding: Finding }
  /** The charts up to this one are done; `counts` is of these, and of those before `from`. */
  | { readonly kind: 'checkpoint'; readonly after: ChartName; readonly counts: Counts }
  | { readonly kind: 'done'; readonly counts: Counts };

/** Where an inspection that was broken off goes on. */
export type From = { readonly after: ChartName; readonly counts: Counts };

/** How often a difference is looked at again while the index changes under the look. */
const LOOKS = 5;

/** Far below the time for which a replaced index is kept: a pass over many charts reads one that is there. */
const FOLLOW_MS = 30_000;

/**
 * Compares all that is kept of a repository: table, packages, provenance files, chart files, indexes. It
 * changes nothing, may run beside everything else, and holds one chart at a time. All charts of which
 * anything knows come in the order of their names, each done before the next one is begun.
 */
export async function* inspectRepository(
  dependencies: InspectDependencies,
  repository: Repository,
  from?: From,
): AsyncGenerator<Observation> {
  const inspection = await begin(dependencies, repository);
  if (from === undefined) yield* findings(repository, inspection.index());
  let counts = from?.counts ?? { versions: 0, sizeBytes: 0 };
  for await (const chart of inspection.charts(from?.after)) {
    yield* findings(repository, inspection.chart(chart));
    counts = add(counts, chart.items);
    yield { kind: 'checkpoint', after: chart.name, counts };
  }
  // Last, since mending these lets go of what the lost versions were read from.
  yield* findings(repository, inspection.past());
  yield { kind: 'done', counts };
}

type Found = Finding extends infer Each ? (Each extends Finding ? Omit<Each, 'repository'> : never) : never;

async function* findings(repository: Repository, found: AsyncIterable<Found>): AsyncGenerator<Observation> {
  for await (const each of found) yield { kind: 'finding', finding: { repository, ...each } as Finding };
}

function add({ versions, sizeBytes }: Counts, items: readonly VersionItem[]): Counts {
  const live = items.flatMap((item) => item.live ?? []);
  return {
    versions: versions + live.length,
    sizeBytes: live.reduce((sum, each) => sum + each.sizeBytes, sizeBytes),
  };
}

/** What a pointer leads to. */
type State = {
  readonly pointer: Pointer | undefined;
  /** The current index, if it was rendered with the present settings and is whole. */
  readonly index: Fragments | undefined;
  /** Whether what it lists can be read at all. */
  readonly isReadable: boolean;
  /** What it lists, and the versions that are known to be lost. */
  readonly listing: Listing;
};

async function stateOf(
  { objects, settings }: InspectDependencies,
  pointer: Pointer | undefined,
): Promise<State> {
  if (pointer === undefined) {
    return { pointer, index: undefined, isReadable: false, listing: joinListings([]) };
  }
  const index = await openIndex(objects, pointer.folder);
  // One that was rendered with other settings is about to be rendered anew, but tells of versions all the same.
  const isPresent =
    pointer.settings === settingsFingerprint(settings) &&
    index !== undefined &&
    index.sizeBytes === indexSize(index.ranges, settings);
  const listing = index ?? (await openListing(objects, pointer.folder));
  const lost = pointer.lost === undefined ? undefined : await openLostVersions(objects, pointer.lost);
  return {
    pointer,
    index: isPresent ? index : undefined,
    isReadable: listing !== undefined,
    listing: joinListings([...(listing ? [listing] : []), ...(lost ? [heldListing(lost)] : [])]),
  };
}

async function begin(dependencies: InspectDependencies, repository: Repository): Promise<Inspection> {
  const { pointers, objects } = dependencies;
  // The listing first: what is put after it is in no doubt.
  const folders = await indexesOf(objects, repository);
  const state = await stateOf(dependencies, await pointers.get(repository));
  const { pointer } = state;
  // One that was begun without a pointer got its number from indexes that may never have been current.
  const ahead = folders
    .filter(({ sequence, isFirst }) => !isFirst && sequence > (pointer?.sequence ?? 0))
    .toSorted((a, b) => b.sequence - a.sequence);
  const listing =
    pointer === undefined
      ? await listedBeforeLoss(objects, folders)
      : await listedBeyond(await newestListing(objects, ahead), state.listing);
  // Who began before there was a pointer may make one after it was lost, which counts from the start: what was put before
  // the current index is ahead by its number alone, and what it lists may have been deleted since.
  const current = folders.find(({ folder }) => folder === pointer?.folder);
  const isOlder = ahead.some(({ modified }) => current !== undefined && modified < current.modified);
  const inspection = new Inspection(dependencies, repository, {
    folders,
    state,
    ahead: { folders: ahead, listing: isOlder ? doubting(listing) : listing },
  });
  await inspection.lookAhead();
  return inspection;
}

async function lostUnlisted(
  listing: Listing,
  name: ChartName,
  items: readonly VersionItem[],
): Promise<number> {
  return (await listing.lostUnlisted?.(name, knownVersions(items))) ?? 0;
}

type Ahead = {
  /** The indexes that are newer than the current one, newest first. */
  readonly folders: IndexFolders;
  /** What the newest of them list, and the current one does not. */
  readonly listing: Listing;
};

/** One look at a repository. Each question is asked so that changes under way are not taken for damage. */
class Inspection {
  readonly #dependencies: InspectDependencies;
  readonly #repository: Repository;
  readonly #folders: IndexFolders;
  readonly #first: State;
  readonly #ahead: Ahead;
  #latest: State;
  #followed: number;
  /** Whether the table is older than the newest index: it was brought back from an earlier state. */
  #isSetBack = false;
  #isPointerLost: boolean;

  constructor(
    dependencies: InspectDependencies,
    repository: Repository,
    { folders, state, ahead }: { folders: IndexFolders; state: State; ahead: Ahead },
  ) {
    this.#dependencies = dependencies;
    this.#repository = repository;
    this.#folders = folders;
    this.#first = state;
    this.#latest = state;
    this.#followed = dependencies.clock.now();
    this.#ahead = ahead;
    // A first index may have been put by somebody who then never made it current.
    this.#isPointerLost = state.pointer === undefined && folders.some(({ isFirst }) => !isFirst);
  }

  /**
   * One ahead is mostly an index that nobody made current. What it lists has an item all the same, since a
   * tombstone stays until the pointer moves; without one the table was set back to an earlier state.
   */
  async lookAhead(): Promise<void> {
    const { pointer } = this.#first;
    if (pointer === undefined) return;
    const { listing } = this.#ahead;
    for (const name of listing.names) {
      const items = await this.#itemsOf(name);
      const lost = lostVersions(await listing.versions(name), items).length;
      if (lost + (await lostUnlisted(listing, name, items)) === 0) continue;
      // Where the pointer moved meanwhile this is no evidence: what the index lists may have been deleted.
      this.#isSetBack = (await this.#pointer())?.folder === pointer.folder;
      return;
    }
  }

  /** Whether a package that nobody names was certainly replaced, deleted or given up, and not forgotten. */
  get #tableIsWhole(): boolean {
    const isWhole = ({ pointer, isReadable }: State) => pointer?.shrank.length === 0 && isReadable;
    return isWhole(this.#first) && isWhole(this.#latest) && !this.#isSetBack;
  }

  /** Reads from now on what is current by now. @returns whether that is another index than so far */
  async #follow(): Promise<boolean> {
    const now = this.#dependencies.clock.now();
    const pointer = await this.#pointer();
    const moved = pointer?.folder !== this.#latest.pointer?.folder;
    if (moved) this.#latest = await stateOf(this.#dependencies, pointer);
    this.#followed = now;
    return moved;
  }

  /** The current index and what names it, as wholes. */
  async *index(): AsyncGenerator<Found> {
    const { pointer, index } = this.#first;
    const newest = this.#ahead.folders.find(({ isFirst }) => !isFirst);
    if (this.#isPointerLost && newest !== undefined) yield { kind: 'pointer_lost', folder: newest.folder };
    const settings = settingsFingerprint(this.#dependencies.settings);
    if (pointer?.settings === settings && index === undefined) {
      yield { kind: 'index_lost', folder: pointer.folder };
    }
  }

  /** Every chart of which anything knows. */
  async *charts(after: ChartName | undefined): AsyncGenerator<ChartItems> {
    const names = new Set([...this.#first.listing.names, ...this.#ahead.listing.names]);
    for (const folder of Object.values(chartFolders(this.#repository))) {
      for await (const chart of this.#dependencies.objects.folders(folder, '/')) {
        names.add(chart.slice(folder.length, -1) as ChartName);
      }
    }
    const rest = [...names].filter((name) => after === undefined || name > after);
    yield* chartsInOrder(this.#dependencies.versions.ofRepository(this.#repository, after), rest);
  }

  /** One chart: its objects and the index against its items. */
  async *chart({ name, items }: ChartItems): AsyncGenerator<Found> {
    if (this.#dependencies.clock.now() - this.#followed > FOLLOW_MS) await this.#follow();
    yield* this.#objectsOf(name, items);
    yield* this.#indexed(name, items);
    if (this.#first.pointer !== undefined || this.#isPointerLost) return;
    // A mark is cleared only after an index with the state is current.
    const wasIndexed = items.some(({ live, unindexed }) => live !== undefined && unindexed === undefined);
    if (!wasIndexed || (await this.#pointer()) !== undefined) return;
    this.#isPointerLost = true;
    yield { kind: 'pointer_lost' };
  }

  async *#objectsOf(name: ChartName, items: readonly VersionItem[]): AsyncGenerator<Found> {
    const { objects, clock } = this.#dependencies;
    const { charts, files } = chartFolders(this.#repository);
    const listed = [
      ...(await collect(objects.list(`${charts}${name}/`))),
      ...(await collect(objects.list(`${files}${name}/`))),
    ];
    const sizes = new Map(listed.map(({ key, sizeBytes }) => [key, sizeBytes]));
    for (const { version, pending } of items) {
      if (pending === undefined || pending.expires > clock.now()) continue;
      const found = (await objects.exists(pending.key)) ? 'there' : 'missing';
      yield { kind: 'reservation_expired', name, version, package: found };
    }
    for (const item of items) yield* this.#lostObjects(item, sizes);
    if (unnamedObjects(listed, items, clock.now()).length === 0) return;
    for (let look = 0; look < LOOKS; look += 1) {
      const now = await this.#itemsOf(name);
      const { listing } = this.#latest;
      const lost = lostVersions(await listing.versions(name), now);
      // Of those that were lost without being listed nobody knows which they are: it may be any.
      const isCounted = (await lostUnlisted(listing, name, now)) === 0;
      // Of an index that was removed under the look nothing can be read, not what was lost either.
      if (await this.#follow()) continue;
      yield* this.#unnamed(name, unnamedObjects(listed, now, clock.now()), { lost, isCounted });
      return;
    }
  }

  /** What an item names and the bucket has not. */
  async *#lostObjects(
    { name, version, live, provenance }: VersionItem,
    sizes: ReadonlyMap<string, number>,
  ): AsyncGenerator<Found> {
    if (live === undefined) return;
    const { objects, versions } = this.#dependencies;
    const named: {
      kind: 'package_lost' | 'files_lost' | 'provenance_lost';
      key: string;
      sizeBytes?: number;
    }[] = [
      { kind: 'package_lost', key: live.key, sizeBytes: live.sizeBytes },
      { kind: 'files_lost', key: filesKey(live.key) },
    ];
    if (provenance?.package === live.digest) named.push({ kind: 'provenance_lost', key: provenance.key });
    for (const { kind, key, sizeBytes } of named) {
      const isThere = (size: number | undefined) => size !== undefined && size === (sizeBytes ?? size);
      if (isThere(sizes.get(key)) || isThere((await objects.head(key))?.sizeBytes)) continue;
      // Between the item and the listing it may have been deleted or overwritten.
      const now = await versions.get({ repository: this.#repository, name, version });
      if (now !== undefined && namedKeys([now]).has(key)) yield { kind, name, version, key };
    }
  }

  async *#unnamed(
    name: ChartName,
    unnamed: readonly ListedObject[],
    { lost, isCounted }: { readonly lost: readonly ListedVersion[]; readonly isCounted: boolean },
  ): AsyncGenerator<Found> {
    const forgotten = new Set(
      lost.map(({ version }) => versionFolder({ repository: this.#repository, name, version })),
    );
    const { files } = chartFolders(this.#repository);
    for (const { key } of unnamed) {
      const folder = key.slice(0, key.lastIndexOf('/') + 1);
      // What the index lists and the table does not know is a loss, told as such.
      const isClaimed = this.#tableIsWhole && isCounted && !forgotten.has(folder);
      yield { kind: isClaimed || key.startsWith(files) ? 'object_unnamed' : 'object_unclaimed', key };
    }
  }

  /** What indexes say of a chart. */
  async *#indexed(name: ChartName, items: readonly VersionItem[]): AsyncGenerator<Found> {
    // It may only be late.
    if (!(await this.#differs(name, items, this.#latest))) {
      if ((await this.#lost(name, items, this.#latest)).length === 0) return;
    }
    yield* this.#confirm(name);
  }

  /** Whether the current index seems to say of a chart what the table does not. */
  async #differs(
    name: ChartName,
    items: readonly VersionItem[],
    { index, pointer }: State,
  ): Promise<boolean> {
    if (index === undefined || items.some(({ unindexed }) => unindexed !== undefined)) return false;
    const { settings } = this.#dependencies;
    // As many as it was made with: another number in the settings is no damage.
    const options = { newest: pointer?.perChart };
    const expected = renderFragment(name, liveVersions(items), settings, this.#repository, options);
    const actual = await index.fragment(name);
    if ((expected?.live ?? 0) !== (index.live(name) ?? 0)) return true;
    return !Buffer.from(expected?.bytes ?? '').equals(actual ?? new Uint8Array());
  }

  /** Which versions an index lists, and the table seems to have lost. */
  async #lost(name: ChartName, items: readonly VersionItem[], state: State) {
    // Who moved the pointer has looked at what is ahead, and kept what was lost.
    const isAhead = state.pointer?.folder === this.#first.pointer?.folder;
    const listing = joinListings(isAhead ? [state.listing, this.#ahead.listing] : [state.listing]);
    return lostVersions(await listing.versions(name), items);
  }

  /**
   * What is so for sure. A state without a mark is in the index that was current when the mark was cleared.
   * So where no version of a chart is marked, and the same index is current before and after the look, that
   * index must list the chart as the table has it; and what it lists has an item.
   */
  async *#confirm(name: ChartName): AsyncGenerator<Found> {
    for (let look = 0; look < LOOKS; look += 1) {
      await this.#follow();
      const { pointer } = this.#latest;
      const items = await this.#itemsOf(name);
      const differs = await this.#differs(name, items, this.#latest);
      const lost = await this.#lost(name, items, this.#latest);
      if (!differs && lost.length === 0) return;
      const again = await this.#pointer();
      if (again?.folder !== pointer?.folder) continue;
      // There may have been one in between, which was lost: the next look begins with what it left.
      if (pointer === undefined && (await this.#hasNewIndexes())) return;
      if (differs) yield { kind: 'index_differs', name };
      yield* this.#versionsLost(name, lost, items);
      return;
    }
  }

  /** What can be brought back of some versions. */
  async *#versionsLost(
    name: ChartName,
    lost: readonly ListedVersion[],
    items: readonly VersionItem[],
  ): AsyncGenerator<Found> {
    if (lost.length === 0) return;
    const { objects } = this.#dependencies;
    const folder = `${chartFolders(this.#repository).charts}${name}/`;
    const listed = (await collect(objects.list(folder))).sort((a, b) => a.modified - b.modified);
    const keysOf = ({ version, digest }: ListedVersion) => {
      const beginning = packagesOf({ repository: this.#repository, name, version }, digest);
      return listed.map(({ key }) => key).filter((key) => key.startsWith(beginning));
    };
    // The same bytes may have been published before and after, and may have been deleted: the instant tells.
    const others = new Set<string>();
    const packages = lost.flatMap((each) =>
      keysOf(each)
        .filter((key) => key.endsWith('.tgz'))
        .map((key) => ({ key, created: each.created })),
    );
    await inParallel(packages, async ({ key, created }) => {
      if ((await objects.head(key))?.metadata['created'] !== created) others.add(key);
    });
    for (const each of lost) {
      const { version, digest, created, isDoubtful = false } = each;
      const keys = keysOf(each).filter((key) => !others.has(key));
      const found = keys.some((key) => key.endsWith('.tgz')) ? 'there' : 'missing';
      const instead = items.find((item) => item.version === version)?.live?.key;
      yield {
        kind: 'version_lost',
        name,
        version,
        package: found,
        keys,
        digest,
        created,
        ...(instead !== undefined && { instead }),
        ...(isDoubtful && { isDoubtful }),
      };
    }
  }

  /** Indexes that are not current. */
  async *past(): AsyncGenerator<Found> {
    const { pointer } = this.#first;
    for (const { before, after } of pointer?.shrank ?? []) yield { kind: 'index_shrank', before, after };
    if (this.#isSetBack) {
      for (const { folder } of this.#ahead.folders) yield { kind: 'pointer_behind', folder };
    }
    const now = await this.#pointer();
    if (now === undefined) return;
    const ahead = pointer !== undefined && !this.#isSetBack;
    for (const each of supersededIndexes(this.#folders, now, this.#dependencies.clock.now(), { ahead })) {
      yield { kind: 'index_superseded', folder: each.folder };
    }
  }

  async #hasNewIndexes(): Promise<boolean> {
    const known = new Set(this.#folders.map(({ folder }) => folder));
    const now = await indexesOf(this.#dependencies.objects, this.#repository);
    return now.some(({ folder }) => !known.has(folder));
  }

  #itemsOf(name: ChartName): Promise<VersionItem[]> {
    return collect(this.#dependencies.versions.ofChart(this.#repository, name));
  }

  #pointer(): Promise<Pointer | undefined> {
    return this.#dependencies.pointers.get(this.#repository);
  }
}
