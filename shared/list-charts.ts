import { isSendable, MOST_ANSWER_BYTES } from './answer-limit.ts';
import { collect } from './async-iteration.ts';
import { readCurrent } from './current-index.ts';
import type { ChartName } from './domain/chart-name.ts';
import { Fault } from './domain/fault.ts';
import { type ListedVersion, readStretch, renderList, type Stretch, stretchOf } from './domain/index-file.ts';
import type { Repository } from './domain/repository.ts';
import { INDEX_URL_SECONDS, indexFile, indexTag } from './index-objects.ts';
import { currentRanges } from './published-index.ts';
import type { IndexDependencies } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';

export type ListDependencies = IndexDependencies & { readonly objects: Pick<ObjectStore, 'signedUrl'> };

/** Which charts of a list are asked for. Without `limit`: all from `offset` on. */
export type Page = { readonly offset: number; readonly limit: number | undefined };

/** A chart as the index lists it, with its versions, newest first; at least one. */
export type ListedChart = { readonly name: ChartName; readonly versions: readonly ListedVersion[] };

/** A list that lies in the bucket. */
type StoredList = {
  readonly kind: 'stored';
  readonly sizeBytes: number;
  readonly url: () => Promise<string>;
};

/** The JSON of a list; `stored` is one that is larger than an answer can be. */
type Body = { readonly kind: 'inline'; readonly text: string } | StoredList;

export type ListAnswer = { readonly etag: string } & (Body | { readonly kind: 'known' });

export const LIST_TYPE = 'application/json; charset=utf-8';

/**
 * How many large pages are stored beside one index. Somebody who pages through needs one for each 6 MB of
 * the list; without a bound, anybody who may read could fill the bucket with pages of all offsets and limits.
 */
const MOST_STORED_PAGES = 32;

/**
 * Lists charts with all their versions, names ascending, from the index: what was answered 201 is in it.
 * Only the part of the index that is asked for is read.
 *
 * @param isKnown whether who asks has the list of this tag already
 * @throws Fault `try_again`, or `too_large` if no more pages of this size are stored
 */
export async function listCharts(
  dependencies: ListDependencies,
  repository: Repository,
  page: Page,
  isKnown: (etag: string) => boolean,
): Promise<ListAnswer> {
  return await readCurrent(dependencies, repository, async (pointer): Promise<ListAnswer | undefined> => {
    const state = pointer === undefined ? '0' : indexTag(pointer.folder);
    const etag = `${state}-${page.offset}-${page.limit ?? 'all'}`;
    if (isKnown(etag)) return { kind: 'known', etag };
    if (pointer === undefined) return { kind: 'inline', etag, text: '{}' };
    const found = await openPage(dependencies, pointer, page);
    const list = found && (await listOf(dependencies, found));
    return list && { etag, ...list };
  });
}

/** The charts that {@link listCharts} lists, as values. */
export async function readCharts(
  dependencies: IndexDependencies,
  repository: Repository,
  page: Page,
): Promise<readonly ListedChart[]> {
  return await readCurrent(dependencies, repository, async (pointer) => {
    if (pointer === undefined) return [];
    const found = await openPage(dependencies, pointer, page);
    const bytes = await found?.read();
    return found && bytes && [...readStretch(found.stretch, bytes, dependencies.settings.format)];
  });
}

/** Some charts of an index: where they are, how to read them, and where their list lies if it is large. */
type OpenPage = {
  readonly stretch: Stretch;
  readonly key: string;
  /** Begins the keys of all pages of the index but the one with every chart. */
  readonly pages: string;
  readonly read: () => Promise<Uint8Array | undefined>;
};

/** @returns undefined if the ranges of the index are lost, or do not fit it */
async function openPage(
  { objects, settings }: IndexDependencies,
  pointer: Pointer,
  { offset, limit = Number.POSITIVE_INFINITY }: Page,
): Promise<OpenPage | undefined> {
  const { folder } = pointer;
  const ranges = await currentRanges(objects, pointer, settings);
  if (ranges === undefined) return undefined;
  const stretch = stretchOf(ranges, offset, offset + limit, settings.format);
  const { length } = stretch.charts;
  const pages = `${folder}charts-`;
  return {
    stretch,
    // By what is there and not by what was asked for: any limit beyond the end gives the same page.
    key: length === ranges.length ? `${folder}charts.json` : `${pages}${offset}-${length}.json`,
    pages,
    read: async () => (length === 0 ? new Uint8Array() : await objects.get(`${folder}${indexFile}`, stretch)),
  };
}

/** @returns undefined if the index is not there */
async function listOf(dependencies: ListDependencies, page: OpenPage): Promise<Body | undefined> {
  const { objects, settings } = dependencies;
  const render = async () => {
    const bytes = await page.read();
    return bytes && renderList(page.stretch, bytes, settings.format);
  };
  // Escaping adds more to the list than the index has line ends, so above the limit nothing need be read.
  if (page.stretch.sizeBytes > MOST_ANSWER_BYTES) return await storedPage(objects, page, render);
  const list = await render();
  if (list === undefined) return undefined;
  const text = list.toString();
  return isSendable(text) ? { kind: 'inline', text } : await storedPage(objects, page, async () => list);
}

async function storedPage(
  objects: ListDependencies['objects'],
  { key, pages }: OpenPage,
  render: () => Promise<Uint8Array | undefined>,
): Promise<Body | undefined> {
  return await storedList(objects, key, async () => {
    if (key.startsWith(pages) && (await collect(objects.list(pages))).length >= MOST_STORED_PAGES) {
      throw new Fault('too_large', 'the answer is larger than 6 MB: ask for less by limit');
    }
    return await render();
  });
}

/**
 * Puts a list beside its index if nobody did: of one state of an index there is one such list for ever.
 *
 * @returns undefined if it cannot be rendered
 */
export async function storedList(
  objects: ListDependencies['objects'],
  key: string,
  render: () => Promise<Uint8Array | undefined>,
): Promise<StoredList | undefined> {
  const url = () => objects.signedUrl(key, INDEX_URL_SECONDS);
  const stored = await objects.head(key);
  if (stored !== undefined) return { kind: 'stored', sizeBytes: stored.sizeBytes, url };
  const list = await render();
  if (list === undefined) return undefined;
  await objects.put(key, list, { contentType: LIST_TYPE });
  return { kind: 'stored', sizeBytes: list.length, url };
}
