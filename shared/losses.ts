import type { ChartName } from './domain/chart-name.ts';
import { knownVersions, type ListedByChart, lostVersions, renderListed } from './domain/lost-versions.ts';
import type { Repository } from './domain/repository.ts';
import type { ChartVersion } from './domain/version.ts';
import {
  doubting,
  heldListing,
  type IndexFolders,
  indexesOf,
  joinListings,
  type Listing,
  listedBeforeLoss,
  listedBeyond,
  openIndex,
  openListing,
  openLostVersions,
} from './published-index.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';
import type { VersionItem } from './store/version-store.ts';

type Objects = Pick<ObjectStore, 'get' | 'head' | 'list'>;

/** What came before the index that is about to be made. */
export type Past = {
  /** The sequence of the index before it, 0 if there is none that had a pointer. */
  readonly sequence: number;
  /** Its folder, and another in its place where that one tells of a loss. */
  readonly folder: string | undefined;
  /** What it lists, with what was lost before it. */
  readonly listing: Listing;
  /** How many versions it had, if nothing that is left of it says so chart by chart. */
  readonly onlyNumber: number | undefined;
  readonly told: ListedByChart;
  /** Charts of which another index lists more: its pointer may have been set back. */
  readonly doubtful: readonly ChartName[];
};

/** What lies beside a current index: what was lost before it, and the folders that were begun after it. */
type Beside = { readonly told: ListedByChart; readonly folders: IndexFolders };

export async function lookBeside(
  objects: Objects,
  repository: Repository,
  { sequence, lost }: Pick<Pointer, 'sequence' | 'lost'>,
): Promise<Beside> {
  const [told, folders] = await Promise.all([
    lost === undefined ? undefined : openLostVersions(objects, lost),
    indexesOf(objects, repository, sequence + 1),
  ]);
  return { told: told ?? new Map(), folders };
}

/** Finds what the indexes so far list, where the current one cannot be spliced. */
export async function lookBack(
  objects: Objects,
  repository: Repository,
  pointer: Pointer | undefined,
): Promise<Past> {
  if (pointer === undefined) return await lookForLostPointer(objects, repository);
  const before = await openListing(objects, pointer.folder);
  return await pastOf(objects, pointer, before, await lookBeside(objects, repository, pointer));
}

/** @param before what the current index lists, if it can be read */
export async function pastOf(
  objects: Objects,
  pointer: Pointer,
  before: Listing | undefined,
  { told, folders }: Beside,
): Promise<Past> {
  const { sequence } = pointer;
  // Mostly there is none. Else it is of somebody who refreshes too, or did and died, or of a time that the
  // table was set back from: its number is reached only once, so only now can one be told from another.
  const others: Listing[] = [];
  const doubtful: ChartName[] = [];
  let folder: string | undefined;
  let compared: Listing | undefined;
  for (const other of folders) {
    // One that was begun without a pointer may be from before this pointer.
    if (other.isFirst) continue;
    const index = await openIndex(objects, other.folder);
    if (index === undefined) continue;
    // All charts of both are compared, so both are read window by window: one by one they are as many reads as charts.
    compared ??= (await openIndex(objects, pointer.folder)) ?? before ?? joinListings([]);
    const beyond = await listedBeyond(index, compared);
    if (beyond.names.length === 0) continue;
    folder = other.folder;
    others.push(isOlder(other, pointer) ? doubting(beyond) : beyond);
    doubtful.push(...beyond.names);
  }
  return {
    sequence,
    folder: folder ?? pointer.folder,
    listing: joinListings([...(before ? [before] : []), heldListing(told), ...others]),
    onlyNumber: before?.lostUnlisted === undefined ? pointer.versions : undefined,
    told,
    doubtful,
  };
}

// Two clocks differ by less: of who made the current index, and of the bucket.
const SKEW_MS = 60_000;

/**
 * Whether an index was put before the current one was begun, and is ahead of it by its number alone: who began before
 * there was a pointer may make one after it was lost, which counts from the start. What it lists may have been deleted since.
 */
const isOlder = ({ modified }: IndexFolders[number], { flips }: Pointer): boolean =>
  modified < (flips.at(-1)?.began ?? 0) - SKEW_MS;

/** Looked for while there is no pointer, so mostly once. */
async function lookForLostPointer(objects: Objects, repository: Repository): Promise<Past> {
  const folders = await indexesOf(objects, repository);
  const had = folders.filter(({ isFirst }) => !isFirst).sort((a, b) => b.sequence - a.sequence);
  return {
    sequence: had[0]?.sequence ?? 0,
    folder: (had[0] ?? folders[0])?.folder,
    listing: await listedBeforeLoss(objects, folders),
    onlyNumber: undefined,
    told: new Map(),
    doubtful: [],
  };
}

/** What the indexes so far list and the table has lost, gathered chart by chart. */
export type Losses = {
  /** The charts that they list. */
  readonly names: readonly ChartName[];
  look(name: ChartName, items: readonly VersionItem[]): Promise<void>;
  /** When the rest is known by number only. */
  count(versions: number): void;
  /** How many were found that were not told of before. */
  found(): number;
  /** All that are not back, or undefined if they are those that were told of before. */
  changed(): ListedByChart | undefined;
  /** Whether none is left to be remembered. */
  readonly forgets: boolean;
};

/**
 * @param forget whether a lost version was told of and cannot come back, so that it need be remembered no longer
 */
export function lossesSince(
  { listing, onlyNumber, told }: Past,
  forget: ((name: ChartName, version: ChartVersion) => boolean) | undefined,
): Losses {
  const lost = new Map(told);
  let found = 0;
  return {
    get names() {
      return listing.names;
    },
    look: async (name, items) => {
      const gone = lostVersions(await listing.versions(name), items).filter(
        ({ version }) => forget?.(name, version) !== true,
      );
      const before = new Set(told.get(name)?.map(({ version }) => version));
      found += gone.filter(({ version }) => !before.has(version)).length;
      found += (await listing.lostUnlisted?.(name, knownVersions(items))) ?? 0;
      if (gone.length === 0) lost.delete(name);
      else lost.set(name, gone);
    },
    count: (versions) => {
      // What was published meanwhile can hide a loss.
      if (forget === undefined && onlyNumber !== undefined) found = Math.max(found, onlyNumber - versions);
    },
    found: () => found,
    changed: () => (renderListed(lost) === renderListed(told) ? undefined : lost),
    get forgets() {
      return forget !== undefined && lost.size === 0;
    },
  };
}
