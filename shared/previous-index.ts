import type { Kept, PartSizes } from './domain/compose-index.ts';
import type { IndexSettings } from './domain/entry.ts';
import { IndexLost } from './domain/index-lost.ts';
import { findInBlocks, type RangeBlocks, rangesIn, readBlocks, sizeByBlocks } from './domain/range-blocks.ts';
import { indexFile, rangesFile } from './index-objects.ts';
import { type Fragments, listingOf } from './published-index.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';

/** The index that another is spliced from. */
export type PreviousIndex = {
  readonly key: string;
  readonly blocks: RangeBlocks;
  readonly listing: Fragments;
  /** @throws IndexLost if it is not there any more */
  read(stretch: Kept): Promise<Uint8Array>;
};

/**
 * A small one is read at once; of a large one only what says where its charts are, and the rest as it is asked for.
 *
 * @returns undefined if the index or its ranges are lost, or do not fit each other
 */
export async function openPrevious(
  objects: Pick<ObjectStore, 'get' | 'head'>,
  { folder, sizeBytes }: Pick<Pointer, 'folder' | 'sizeBytes'>,
  settings: IndexSettings,
  { wholeBytes }: Pick<PartSizes, 'wholeBytes'>,
): Promise<PreviousIndex | undefined> {
  const key = `${folder}${indexFile}`;
  const isSmall = sizeBytes <= wholeBytes;
  const [whole, head, rows] = await Promise.all([
    isSmall ? objects.get(key) : undefined,
    isSmall ? undefined : objects.head(key),
    objects.get(`${folder}${rangesFile}`),
  ]);
  const blocks = rows && readBlocks(rows);
  const foundBytes = isSmall ? whole?.length : head?.sizeBytes;
  if (blocks === undefined || foundBytes !== sizeByBlocks(blocks, settings)) return undefined;

  async function read(stretch: Kept): Promise<Uint8Array> {
    if (whole !== undefined) return whole.subarray(stretch.offset, stretch.offset + stretch.sizeBytes);
    const bytes = await objects.get(key, stretch);
    if (bytes?.length !== stretch.sizeBytes) throw new IndexLost(`${key} is not there any more`);
    return bytes;
  }

  const find = findInBlocks(blocks, settings.format);
  const fragment: Fragments['fragment'] = async (name) => {
    const place = find(name);
    return place && (await read(place));
  };
  const names = () => blocks.flatMap((block) => rangesIn(block).map(({ name }) => name));
  return { key, blocks, listing: listingOf(names, fragment, find, settings.format), read };
}
