import { collect } from './async-iteration.ts';
import type { ChartName } from './domain/chart-name.ts';
import { indexSize, type ListedVersion, renderFragment, settingsFingerprint } from './domain/index-file.ts';
import { namedKeys, supersededIndexes, unnamedObjects } from './domain/leftovers.ts';
import { chartFolders, filesKey, packagesOf, versionFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { Finding } from './findings.ts';
import { indexesOf, openIndex, type PublishedIndex } from './published-index.ts';
import { byChart, type IndexDependencies, liveVersions } from './refresh.ts';
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

/**
 * Compares all that is kept of a repository: table, packages, provenance files, chart files, indexes. It
 * changes nothing, may run beside everything else, and holds one chart at a time.
 */
export async function* inspectRepository(
  dependencies: InspectDependencies,
  repository: Repository,
  from?: From,
): AsyncGenerator<Observation> {
  const inspection = await begin(dependencies, repository);
  for await (const observation of findings(repository, inspection.evidence())) {
    if (from === undefined) yield observation;
  }
  let counts = from?.counts ?? { versions: 0, sizeBytes: 0 };
  const seen = new Set<ChartName>();
  const doubtful = new Set<ChartName>();
  for await (const { name, items } of byChart(dependencies.versions.ofRepository(repository, from?.after))) {
    yield* findings(repository, inspection.chart(name, items));
    if (await inspection.differs(name, items)) doubtful.add(name);
    seen.add(name);
    counts = add(counts, items);
    yield { kind: 'checkpoint', after: name, counts };
  }
  for (const { name } of inspection.index?.ranges ?? []) if (!seen.has(name)) doubtful.add(name);
  for await (const name of inspection.chartsWithObjects()) {
    if (seen.has(name)) continue;
    seen.add(name);
    // A chart that an earlier part of this inspection has done has items.
    const items = await collect(dependencies.versions.ofChart(repository, name));
    if (items.length === 0) yield* findings(repository, inspection.chart(name, items));
  }
  yield* findings(repository, inspection.confirm(doubtful));
  yield* findings(repository, inspection.superseded());
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

type IndexFolders = Awaited<ReturnType<typeof indexesOf>>;

async function begin(dependencies: InspectDependencies, repository: Repository): Promise<Inspection> {
  const { pointers, objects } = dependencies;
  // The listing first: what is put after it is in no doubt.
  const folders = await indexesOf(objects, repository);
  const pointer = await pointers.get(repository);
  const index = pointer && (await openIndex(objects, pointer.folder));
  return new Inspection(dependencies, repository, folders, pointer, index);
}

/** One look at a repository. Each question is asked so that changes under way are not taken for damage. */
class Inspection {
  readonly index: PublishedIndex | undefined;
  readonly #dependencies: InspectDependencies;
  readonly #repository: Repository;
  readonly #folders: IndexFolders;
  readonly #pointer: Pointer | undefined;
  /** Whether the table is older than the newest index: it was brought back from an earlier state. */
  #isSetBack = false;

  constructor(
    dependencies: InspectDependencies,
    repository: Repository,
    folders: IndexFolders,
    pointer: Pointer | undefined,
    index: PublishedIndex | undefined,
  ) {
    this.#dependencies = dependencies;
    this.#repository = repository;
    this.#folders = folders;
    this.#pointer = pointer;
    const settings = settingsFingerprint(dependencies.settings);
    // One that was rendered with other settings is about to be rendered anew.
    const fits =
      pointer?.settings === settings &&
      index !== undefined &&
      index.sizeBytes === indexSize(index.ranges, dependencies.settings);
    this.index = fits ? index : undefined;
  }

  /** The indexes that are newer than the current one, newest first. */
  get #ahead(): IndexFolders {
    const current = this.#pointer?.sequence ?? 0;
    return this.#folders
      .filter(({ sequence }) => sequence > current)
      .toSorted((a, b) => b.sequence - a.sequence);
  }

  /** Whether a package that nobody names was certainly replaced, deleted or given up, and not forgotten. */
  get #tableIsWhole(): boolean {
    return this.#pointer !== undefined && this.#pointer.shrank.length === 0 && !this.#isSetBack;
  }

  /** What pointer and indexes say of the past, before any chart is looked at. */
  async *evidence(): AsyncGenerator<Found> {
    const pointer = this.#pointer;
    const lost = await this.#lostSince();
    const ahead = this.#ahead;
    // One ahead is mostly an index that nobody made current. What it lists has an item all the same, since a
    // tombstone stays until the pointer moves; without one the table was set back to an earlier state.
    const isFurther = pointer !== undefined && ahead.some(({ sequence }) => sequence > pointer.sequence + 1);
    this.#isSetBack = pointer !== undefined && (isFurther || lost.length > 0);
    yield* lost;
    // Last, since mending it removes what the lost versions were read from.
    for (const { folder, sequence } of ahead) {
      if (this.#isSetBack) yield { kind: 'pointer_behind', folder };
      // The first index of all may have been put by somebody who then never made it current.
      else if (pointer === undefined && sequence > 1) yield { kind: 'pointer_lost', folder };
    }
    if (pointer === undefined) return;
    const open = (folder: string) => openIndex(this.#dependencies.objects, folder);
    const settings = settingsFingerprint(this.#dependencies.settings);
    if (this.index === undefined && pointer.settings === settings) {
      yield { kind: 'index_lost', folder: pointer.folder };
    }
    for (const { before, after } of pointer.shrank) {
      yield { kind: 'index_shrank', before, after };
      const [earlier, later] = await Promise.all([open(before), open(after)]);
      if (earlier !== undefined) yield* this.#lostVersions(earlier, later);
    }
  }

  /** The versions that the newest index ahead of the current one lists, and the table knows nothing of. */
  async #lostSince(): Promise<readonly Found[]> {
    for (const { folder } of this.#ahead) {
      const newest = await openIndex(this.#dependencies.objects, folder);
      if (newest === undefined) continue;
      const lost = await collect(this.#lostVersions(newest));
      // Where the pointer moved meanwhile this is no evidence: what the index lists may have been deleted.
      const now = await this.#dependencies.pointers.get(this.#repository);
      return now?.folder === this.#pointer?.folder ? lost : [];
    }
    return [];
  }

  /** The versions that an index lists, a later one does not, and the table knows nothing of. */
  async *#lostVersions(earlier: PublishedIndex, later?: PublishedIndex): AsyncGenerator<Found> {
    for (const { name } of earlier.ranges) {
      const still = new Set((await later?.versions(name))?.map(({ version }) => version));
      const listed = (await earlier.versions(name)).filter(({ version }) => !still.has(version));
      if (listed.length === 0) continue;
      const items = await collect(this.#dependencies.versions.ofChart(this.#repository, name));
      yield* this.#unknown(name, listed, items);
    }
  }

  /** Which of some listed versions have no item, and whether their packages are there. */
  async *#unknown(
    name: ChartName,
    listed: readonly ListedVersion[],
    items: readonly VersionItem[],
  ): AsyncGenerator<Found> {
    const known = new Set(items.map(({ version }) => version));
    const lost = listed.filter(({ version }) => !known.has(version));
    if (lost.length === 0) return;
    const folder = `${chartFolders(this.#repository).charts}${name}/`;
    const objects = await collect(this.#dependencies.objects.list(folder));
    const inOrder = objects.sort((a, b) => a.modified - b.modified).map(({ key }) => key);
    for (const { version, digest, created } of lost) {
      const beginning = packagesOf({ repository: this.#repository, name, version }, digest);
      const keys = inOrder.filter((key) => key.startsWith(beginning));
      const found = keys.some((key) => key.endsWith('.tgz')) ? 'there' : 'missing';
      yield { kind: 'version_lost', name, version, package: found, keys, digest, created };
    }
  }

  /** The objects of one chart against its items. */
  async *chart(name: ChartName, items: readonly VersionItem[]): AsyncGenerator<Found> {
    const { objects, clock, versions } = this.#dependencies;
    const { charts, files } = chartFolders(this.#repository);
    const listed = [
      ...(await collect(objects.list(`${charts}${name}/`))),
      ...(await collect(objects.list(`${files}${name}/`))),
    ];
    const there = new Set(listed.map(({ key }) => key));
    for (const { version, pending } of items) {
      if (pending === undefined || pending.expires > clock.now()) continue;
      const found = (await objects.exists(pending.key)) ? 'there' : 'missing';
      yield { kind: 'reservation_expired', name, version, package: found };
    }
    if ([...namedKeys(items.map(({ pending: _, ...item }) => item))].some((key) => !there.has(key))) {
      for (const item of items) yield* this.#lostObjects(item, there);
    }
    if (unnamedObjects(listed, items, clock.now()).length === 0) return;
    const now = await collect(versions.ofChart(this.#repository, name));
    yield* this.#unnamed(name, unnamedObjects(listed, now, clock.now()), now);
  }

  /** What an item names and the bucket has not. */
  async *#lostObjects(
    { name, version, ...item }: VersionItem,
    there: ReadonlySet<string>,
  ): AsyncGenerator<Found> {
    const { live, provenance } = item;
    const named =
      (live && [
        { kind: 'package_lost' as const, key: live.key },
        { kind: 'files_lost' as const, key: filesKey(live.key) },
        ...(provenance?.package === live.digest
          ? [{ kind: 'provenance_lost' as const, key: provenance.key }]
          : []),
      ]) ??
      [];
    for (const { kind, key } of named) {
      if (there.has(key) || (await this.#dependencies.objects.exists(key))) continue;
      // Between the item and the listing it may have been deleted or overwritten.
      const now = await this.#dependencies.versions.get({ repository: this.#repository, name, version });
      if (now !== undefined && namedKeys([now]).has(key)) yield { kind, name, version, key };
    }
  }

  async *#unnamed(
    name: ChartName,
    unnamed: readonly ListedObject[],
    items: readonly VersionItem[],
  ): AsyncGenerator<Found> {
    const known = new Set(items.map((item) => versionFolder(item)));
    const listed = new Set<string>();
    for (const { version } of (await this.index?.versions(name)) ?? []) {
      listed.add(versionFolder({ repository: this.#repository, name, version }));
    }
    const { files } = chartFolders(this.#repository);
    for (const { key } of unnamed) {
      const folder = key.slice(0, key.lastIndexOf('/') + 1);
      // What the index lists and the table does not know is a loss, told as such.
      const forgotten = listed.has(folder) && !known.has(folder);
      if (key.startsWith(files)) yield { kind: 'object_unnamed', key };
      else if (!this.#tableIsWhole || forgotten) yield { kind: 'object_unclaimed', key };
      else yield { kind: 'object_unnamed', key };
    }
  }

  /** The names of all charts that have objects. */
  async *chartsWithObjects(): AsyncGenerator<ChartName> {
    for (const folder of Object.values(chartFolders(this.#repository))) {
      for await (const chart of this.#dependencies.objects.folders(folder, '/')) {
        yield chart.slice(folder.length, -1) as ChartName;
      }
    }
  }

  /** Whether the index seems to say of a chart what the table does not. It may only be late. */
  async differs(name: ChartName, items: readonly VersionItem[], index = this.index): Promise<boolean> {
    if (index === undefined || items.some(({ unindexed }) => unindexed !== undefined)) return false;
    const { settings } = this.#dependencies;
    const expected = renderFragment(name, liveVersions(items), settings, this.#repository)?.bytes;
    const actual = await index.fragment(name);
    return !Buffer.from(expected ?? '').equals(actual ?? new Uint8Array());
  }

  /**
   * Which charts differ for sure. A state without a mark is in the index that was current when the mark was
   * cleared. So where no version of a chart is marked, and the same index is current before and after the
   * look, that index must list the chart as the table has it.
   */
  async *confirm(names: ReadonlySet<ChartName>): AsyncGenerator<Found> {
    const { pointers, objects, versions } = this.#dependencies;
    if (names.size === 0) return;
    for (let look = 0; look < LOOKS; look += 1) {
      const pointer = await pointers.get(this.#repository);
      const index = pointer && (await openIndex(objects, pointer.folder));
      const found: Found[] = [];
      for (const name of names) {
        const items = await collect(versions.ofChart(this.#repository, name));
        if (!(await this.differs(name, items, index))) continue;
        found.push({ kind: 'index_differs', name });
        const listed = (await index?.versions(name)) ?? [];
        found.push(...(await collect(this.#unknown(name, listed, items))));
      }
      const again = await pointers.get(this.#repository);
      if (again?.folder !== pointer?.folder) continue;
      yield* found;
      return;
    }
  }

  async *superseded(): AsyncGenerator<Found> {
    const { clock, pointers } = this.#dependencies;
    const pointer = await pointers.get(this.#repository);
    if (pointer === undefined) return;
    const ahead = new Set(this.#isSetBack ? this.#ahead : []);
    for (const each of supersededIndexes(this.#folders, pointer, clock.now())) {
      if (!ahead.has(each)) yield { kind: 'index_superseded', folder: each.folder };
    }
  }
}
