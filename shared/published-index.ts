import { collect } from './async-iteration.ts';
import type { ChartName } from './domain/chart-name.ts';
import {
  fragmentPlaces,
  type ListedVersion,
  type Ranges,
  readFragment,
  readRanges,
} from './domain/index-file.ts';
import { indexFolders, readIndexKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { ObjectStore } from './store/object-store.ts';

// The index and its ranges, side by side in one folder with the lists made from them (shared/domain/object-keys.ts).
export const indexFile = 'index.yaml';
export const rangesFile = 'ranges.json';

// As long as the URLs of packages: enough for a slow client to begin, useless to whoever finds it later.
export const SIGNED_URL_SECONDS = 300;

/** `<sequence>-<id>`, which names a state of an index: a sequence alone could come again after a repair. */
export function indexTag(folder: string): string {
  return folder.split('/').at(-2) ?? '';
}

/** An index in the bucket that is read chart by chart, so that its size does not matter. */
export type PublishedIndex = {
  readonly folder: string;
  readonly sizeBytes: number;
  readonly ranges: Ranges;
  /** @returns the bytes of a chart's entries, or undefined if the index does not list it */
  fragment(name: ChartName): Promise<Uint8Array | undefined>;
  /** @returns what the index says of a chart's versions; none if it does not list it */
  versions(name: ChartName): Promise<readonly ListedVersion[]>;
};

// Neighbours are read together: charts are mostly asked for in the order of the file.
const WINDOW_BYTES = 4 * 1024 * 1024;

/** @returns undefined if the index, or what says where its charts are, is lost */
export async function openIndex(
  objects: Pick<ObjectStore, 'get' | 'head'>,
  folder: string,
): Promise<PublishedIndex | undefined> {
  const key = `${folder}${indexFile}`;
  const ranges = readRanges((await objects.get(`${folder}${rangesFile}`)) ?? new Uint8Array());
  const head = await objects.head(key);
  if (ranges === undefined || head === undefined) return undefined;
  const { sizeBytes } = head;

  let window = { offset: 0, bytes: await read(0, 1) };
  const format = window.bytes[0] === '{'.charCodeAt(0) ? 'json' : 'yaml';
  const places = fragmentPlaces(ranges, format);

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

  async function versions(name: ChartName) {
    const bytes = await fragment(name);
    return bytes === undefined ? [] : readFragment({ name, bytes }, format);
  }

  return { folder, sizeBytes, ranges, fragment, versions };
}

/** The folders of a repository's indexes, with when the last object of each was put. */
export async function indexesOf(objects: Pick<ObjectStore, 'list'>, repository: Repository) {
  const folders = new Map<string, { folder: string; sequence: number; modified: number }>();
  for await (const { key, modified } of objects.list(indexFolders(repository))) {
    const read = readIndexKey(key);
    if (read === undefined) continue;
    const earlier = folders.get(read.folder)?.modified ?? 0;
    folders.set(read.folder, { ...read, modified: Math.max(earlier, modified) });
  }
  return [...folders.values()];
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
