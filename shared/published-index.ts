import { collect } from './async-iteration.ts';
import type { ChartName } from './domain/chart-name.ts';
import type { IndexSettings } from './domain/entry.ts';
import {
  fragmentPlaces,
  indexSize,
  isTail,
  type ListedVersion,
  type Ranges,
  readFragment,
  readIndex,
} from './domain/index-file.ts';
import { type ListedByChart, readListed } from './domain/lost-versions.ts';
import { indexFolders, readIndexKey } from './domain/object-keys.ts';
import { readRanges } from './domain/range-blocks.ts';
import type { Repository } from './domain/repository.ts';
import { type ChartVersion, compareVersions } from './domain/version.ts';
import { indexFile, lostFile, rangesFile } from './index-objects.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';

/** What something says of versions: an index, several of them, or a list of those that were lost. */
export type Listing = {
  readonly names: readonly ChartName[];
  /** @returns none for a chart that it does not list, or of which it holds nothing that can be read */
  versions(name: ChartName): Promise<readonly ListedVersion[]>;
  /** @returns the bytes of a chart's entries, or undefined if the index does not list it */
  fragment?(name: ChartName): Promise<Uint8Array | undefined>;
  /** @returns how many versions a chart had, those too that are not listed; undefined for one that is not listed */
  live?(name: ChartName): number | undefined;
  /**
   * How many of those versions were lost that are not listed, so that nobody can say which.
   *
   * @param known the versions of which the table knows what became of them
   */
  lostUnlisted?(name: ChartName, known: ReadonlySet<ChartVersion>): Promise<number>;
};

/** An index of which the places of its charts are known. */
export type Fragments = Listing & Required<Pick<Listing, 'fragment' | 'live'>>;

/** Where the charts of a current index are. @returns undefined if that is lost, or does not fit the index */
export async function currentRanges(
  objects: Pick<ObjectStore, 'get'>,
  { folder, sizeBytes }: Pick<Pointer, 'folder' | 'sizeBytes'>,
  settings: IndexSettings,
): Promise<Ranges | undefined> {
  const ranges = readRanges((await objects.get(`${folder}${rangesFile}`)) ?? new Uint8Array());
  return ranges !== undefined && indexSize(ranges, settings) === sizeBytes ? ranges : undefined;
}

/** An index in the bucket that is read chart by chart, so that its size does not matter. */
export type PublishedIndex = Fragments & {
  readonly sizeBytes: number;
  readonly ranges: Ranges;
};

// Neighbours are read together: charts are mostly asked for in the order of the file.
const WINDOW_BYTES = 4 * 1024 * 1024;

/** @returns undefined if the index, or what says where its charts are, is lost, or they do not fit each other */
export async function openIndex(
  objects: Pick<ObjectStore, 'get' | 'head'>,
  folder: string,
): Promise<PublishedIndex | undefined> {
  const key = `${folder}${indexFile}`;
  const [rows, head] = await Promise.all([objects.get(`${folder}${rangesFile}`), objects.head(key)]);
  const ranges = rows && readRanges(rows);
  if (ranges === undefined || head === undefined) return undefined;
  const { sizeBytes } = head;

  let window = { offset: 0, bytes: await read(0, 1) };
  const format: IndexSettings['format'] = window.bytes[0] === '{'.charCodeAt(0) ? 'json' : 'yaml';
  const places = fragmentPlaces(ranges, format);
  const byName = new Map(ranges.map((range) => [range.name, range]));
  const rangeOf = (name: ChartName) => byName.get(name);
  const last = places.get(ranges.at(-1)?.name ?? ('' as ChartName));
  if (last !== undefined && !isTail(await read(last.offset + last.sizeBytes, 1), format)) return undefined;

  async function read(offset: number, atLeastBytes: number): Promise<Uint8Array> {
    const wanted = Math.min(Math.max(atLeastBytes, WINDOW_BYTES), sizeBytes - offset);
    if (wanted < 1) return new Uint8Array();
    return (await objects.get(key, { offset, sizeBytes: wanted })) ?? new Uint8Array();
  }

  async function fragment(name: ChartName) {
    const place = places.get(name);
    if (place === undefined) return undefined;
    const end = place.offset + place.sizeBytes;
    if (place.offset < window.offset || end > window.offset + window.bytes.length) {
      window = { offset: place.offset, bytes: await read(place.offset, place.sizeBytes) };
    }
    return window.bytes.subarray(place.offset - window.offset, end - window.offset);
  }

  return { sizeBytes, ranges, ...listingOf(() => ranges.map(({ name }) => name), fragment, rangeOf, format) };
}

/** What an index lists of which the places of its charts are known. */
export function listingOf(
  names: () => readonly ChartName[],
  fragment: Fragments['fragment'],
  rangeOf: (name: ChartName) => Pick<Ranges[number], 'versions' | 'live'> | undefined,
  format: IndexSettings['format'],
): Fragments {
  const versions: Listing['versions'] = async (name) => {
    const bytes = await fragment(name);
    try {
      return bytes === undefined ? [] : readFragment({ name, bytes }, format);
    } catch {
      return [];
    }
  };
  return {
    // Who splices an index asks for those of a few charts, whatever the others are.
    get names() {
      return names();
    },
    fragment,
    versions,
    live: (name) => rangeOf(name)?.live,
    lostUnlisted: async (name, known) => {
      const { live = 0, versions: listed = 0 } = rangeOf(name) ?? {};
      // Mostly there are none: then nothing need be read.
      if (live === listed) return 0;
      const named = new Set((await versions(name)).map(({ version }) => version));
      const oldest = [...named].at(-1);
      // What is newer than those that are listed was published since. What is older may have been, and hide a loss.
      const others = [...known].filter(
        (version) => !named.has(version) && (oldest === undefined || compareVersions(version, oldest) <= 0),
      );
      return Math.max(0, live - listed - others.length);
    },
  };
}

/** What an index lists, also where its ranges are lost. @returns undefined if the index is lost */
export async function openListing(
  objects: Pick<ObjectStore, 'get' | 'head'>,
  folder: string,
): Promise<Listing | undefined> {
  const opened = await openIndex(objects, folder);
  if (opened !== undefined) return opened;
  const charts = readIndex((await objects.get(`${folder}${indexFile}`)) ?? new Uint8Array());
  return charts && heldListing(charts);
}

/** The lost versions that are listed in a folder. @returns undefined if that list is lost itself */
export async function openLostVersions(
  objects: Pick<ObjectStore, 'get'>,
  folder: string,
): Promise<ListedByChart | undefined> {
  const bytes = await objects.get(`${folder}${lostFile}`);
  return bytes && readListed(bytes);
}

export function heldListing(charts: ListedByChart): Listing {
  return { names: [...charts.keys()], versions: async (name) => charts.get(name) ?? [] };
}

/** What any of some listings says; of a version in several of them, what was published last. */
export function joinListings(listings: readonly Listing[]): Listing {
  const [only] = listings;
  if (only !== undefined && listings.length === 1) return only;
  return {
    get names() {
      return [...new Set(listings.flatMap(({ names }) => names))];
    },
    versions: async (name) => {
      const newest = new Map<string, ListedVersion>();
      for (const listing of listings) {
        for (const listed of await listing.versions(name)) {
          const other = newest.get(listed.version);
          if (other === undefined || other.created < listed.created) newest.set(listed.version, listed);
        }
      }
      return [...newest.values()];
    },
    live: (name) => {
      const counts = listings.flatMap((listing) => listing.live?.(name) ?? []);
      return counts.length === 0 ? undefined : Math.max(...counts);
    },
    lostUnlisted: async (name, known) => Math.max(0, ...(await lostUnlistedBy(listings, name, known))),
  };
}

/** What each listing says of versions that it does not list; those that know of none are left out. */
async function lostUnlistedBy(
  listings: readonly Listing[],
  ...[name, known]: Parameters<NonNullable<Listing['lostUnlisted']>>
): Promise<number[]> {
  const counts = await Promise.all(listings.map((listing) => listing.lostUnlisted?.(name, known)));
  return counts.filter((count) => count !== undefined);
}

/** The versions, or states of them, that one index lists and another does not, or counts without listing them. */
export async function listedBeyond(index: Listing, other: Listing): Promise<Listing> {
  const beyond = new Map<ChartName, readonly ListedVersion[]>();
  for (const name of index.names) {
    const more = await listedBeyondIn(index, other, name);
    const [mine = 0, others = Number.POSITIVE_INFINITY] = [index.live?.(name), other.live?.(name)];
    if (more.length > 0 || mine > others) beyond.set(name, more);
  }
  const { lostUnlisted } = index;
  return { ...heldListing(beyond), ...(lostUnlisted && { lostUnlisted }) };
}

async function listedBeyondIn(
  index: Listing,
  other: Listing,
  name: ChartName,
): Promise<readonly ListedVersion[]> {
  const [mine, others] = [await index.fragment?.(name), await other.fragment?.(name)];
  if (mine !== undefined && others !== undefined && Buffer.from(mine).equals(others)) return [];
  const listed = new Set((await other.versions(name)).map(stateOf));
  return (await index.versions(name)).filter((each) => !listed.has(stateOf(each)));
}

/** The same, all of it doubtful: what it lists may have been deleted. */
export function doubting(listing: Listing): Listing {
  const versions: Listing['versions'] = async (name) =>
    (await listing.versions(name)).map((each) => ({ ...each, isDoubtful: true }));
  return { ...listing, versions };
}

type IndexFolder = NonNullable<ReturnType<typeof readIndexKey>>;
export type IndexFolders = Awaited<ReturnType<typeof indexesOf>>;

/**
 * The folders of a repository's indexes, with when the last object of each was put, and whether there is a
 * list of lost versions.
 *
 * @param sequence only those of this one: mostly none or one, however many indexes there are
 */
export async function indexesOf(
  objects: Pick<ObjectStore, 'list'>,
  repository: Repository,
  sequence?: number,
) {
  const folders = new Map<string, IndexFolder & { modified: number; hasLost: boolean }>();
  const prefix = `${indexFolders(repository)}${sequence === undefined ? '' : `${sequence}-`}`;
  for await (const { key, modified } of objects.list(prefix)) {
    const read = readIndexKey(key);
    if (read === undefined) continue;
    const earlier = folders.get(read.folder);
    folders.set(read.folder, {
      ...read,
      modified: Math.max(earlier?.modified ?? 0, modified),
      hasLost: earlier?.hasLost || key.endsWith(`/${lostFile}`),
    });
  }
  return [...folders.values()];
}

/**
 * What the newest index lists that can be read. Several of one sequence were begun at the same time, and
 * nothing but the pointer says which of them became current: so it is what any of them lists, and what not
 * all of them do is doubtful.
 */
export async function newestListing(
  objects: Pick<ObjectStore, 'get' | 'head'>,
  folders: IndexFolders,
  open: (folder: string) => Promise<Listing | undefined> = (folder) => openListing(objects, folder),
): Promise<Listing> {
  for (const sequence of [...new Set(folders.map((each) => each.sequence))].sort((a, b) => b - a)) {
    const found: Listing[] = [];
    for (const each of folders) {
      const listing = each.sequence === sequence ? await open(each.folder) : undefined;
      if (listing !== undefined) found.push(listing);
    }
    if (found.length > 0) return anyOf(found);
  }
  return joinListings([]);
}

function anyOf(listings: readonly Listing[]): Listing {
  const joined = joinListings(listings);
  if (listings.length === 1) return joined;
  return {
    ...joined,
    // What only some of them count may have been deleted, or never have been current.
    lostUnlisted: async (name, known) => {
      const counts = await lostUnlistedBy(listings, name, known);
      return counts.length === 0 ? 0 : Math.min(...counts);
    },
    versions: async (name) => {
      const each = await Promise.all(listings.map((listing) => listing.versions(name)));
      const states = each.map((versions) => new Set(versions.map(stateOf)));
      return (await joined.versions(name)).map((listed) => ({
        ...listed,
        isDoubtful: !states.every((state) => state.has(stateOf(listed))),
      }));
    },
  };
}

const stateOf = ({ version, digest, created }: ListedVersion) => `${version} ${digest} ${created}`;

/**
 * What the index listed that a lost pointer named, most likely: the newest of those that were begun with a
 * pointer. Since the loss others may have begun one without it, from a table that lost versions too, and it
 * may have become current; so what they list counts as well. And so does what was lost before it.
 */
export async function listedBeforeLoss(
  objects: Pick<ObjectStore, 'get' | 'head'>,
  folders: IndexFolders,
): Promise<Listing> {
  // A folder without an index that can be read, of somebody who died over it, hides none that came before it.
  const readable: IndexFolders = [];
  for (const each of folders) if (await openListing(objects, each.folder)) readable.push(each);
  const had = readable.filter(({ isFirst }) => !isFirst);
  const newest = Math.max(0, ...had.map(({ sequence }) => sequence));
  const since = readable.filter(({ isFirst, sequence }) => isFirst && sequence > newest);
  const listed = Math.max(0, ...folders.filter(({ hasLost }) => hasLost).map(({ sequence }) => sequence));
  // One without a list beside one with it found nothing lost: it is doubtful then.
  const lists = folders.filter(({ sequence }) => sequence === listed);
  const openList = async (folder: string) =>
    heldListing((await openLostVersions(objects, folder)) ?? new Map());
  return joinListings([
    await newestListing(objects, had),
    await newestListing(objects, since),
    await newestListing(objects, lists, openList),
  ]);
}

// The most that the store takes.
const REMOVED_TOGETHER = 1_000;

/** For good, with the lists made from it: it can be rendered again, and the bucket would keep what is only deleted. */
export async function removeIndex(
  objects: Pick<ObjectStore, 'listVersions' | 'removeForGood'>,
  folder: string,
): Promise<void> {
  const all = await collect(objects.listVersions(folder));
  while (all.length > 0) await objects.removeForGood(all.splice(0, REMOVED_TOGETHER));
}
