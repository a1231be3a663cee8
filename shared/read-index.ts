import { readCurrent } from './current-index.ts';
import { digestOf } from './domain/digest.ts';
import type { Repository } from './domain/repository.ts';
import { INDEX_URL_SECONDS, indexFile, indexTag } from './index-objects.ts';
import { loadRefresh } from './load-refresh.ts';
import type { IndexDependencies } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer } from './store/pointer-store.ts';

export type ReadIndexDependencies = IndexDependencies & {
  readonly objects: Pick<ObjectStore, 'exists' | 'signedUrl'>;
};

type IndexAnswer =
  | { readonly kind: 'inline'; readonly etag: string; readonly bytes: Uint8Array }
  | {
      readonly kind: 'redirect';
      readonly etag: string;
      readonly sizeBytes: number;
      readonly url: () => Promise<string>;
    };

/**
 * How much of an index is answered inline, as serialized answer in bytes: Lambda's limit is 6 MB, and a
 * larger index is cheaper to send from S3.
 */
export const INLINE_BYTES = 512 * 1024;

// One index at a time for each of the repositories read last: a new state replaces the old one.
const REMEMBERED = 16;

/** @param ifHeld the answer to a client that has the index of a tag already, for which the bucket is not asked */
type ReadIndex = <Held>(
  repository: Repository,
  ifHeld: (etag: string) => Held | undefined,
) => Promise<IndexAnswer | { readonly kind: 'held'; readonly answer: Held }>;

/**
 * Makes the reader of one execution environment; it remembers what it found while the pointers
 * stand.
 */
export function indexReader(dependencies: ReadIndexDependencies): ReadIndex {
  const remembered = new Map<Repository, IndexAnswer>();

  /** @returns undefined if the index that the pointer names is not there */
  async function answer(repository: Repository, pointer: Pointer): Promise<IndexAnswer | undefined> {
    const etag = indexTag(pointer.folder);
    const known = remembered.get(repository);
    if (known?.etag === etag) return known;
    const found = await loadOrRedirect(dependencies, pointer);
    if (found !== undefined) remember(remembered, repository, found);
    return found;
  }

  return (repository, ifHeld) =>
    readCurrent(dependencies, repository, async (pointer) => {
      if (pointer === undefined) return await emptyIndex(dependencies);
      const held = ifHeld(indexTag(pointer.folder));
      return held === undefined ? await answer(repository, pointer) : { kind: 'held', answer: held };
    });
}

/** A small index with its bytes, a larger one as a way to them, once it is known that they are there. */
async function loadOrRedirect(
  { objects }: ReadIndexDependencies,
  pointer: Pointer,
): Promise<IndexAnswer | undefined> {
  const key = `${pointer.folder}${indexFile}`;
  const etag = indexTag(pointer.folder);
  const redirect: IndexAnswer = {
    kind: 'redirect',
    etag,
    sizeBytes: pointer.sizeBytes,
    url: () => objects.signedUrl(key, INDEX_URL_SECONDS),
  };
  if (pointer.sizeBytes > INLINE_BYTES) return (await objects.exists(key)) ? redirect : undefined;
  const bytes = await objects.get(key);
  if (bytes === undefined) return undefined;
  const serialized = Buffer.byteLength(JSON.stringify(Buffer.from(bytes).toString()));
  return serialized > INLINE_BYTES ? redirect : { kind: 'inline', etag, bytes };
}

/** The index of a repository to which nothing was published. Its bytes never change. */
async function emptyIndex({ settings }: ReadIndexDependencies): Promise<IndexAnswer> {
  const { renderEmpty } = await loadRefresh();
  const bytes = renderEmpty(settings);
  return { kind: 'inline', etag: `0-${digestOf(bytes)}`, bytes };
}

/** Puts an answer among the few that were given last. */
export function remember<Key, Value>(memory: Map<Key, Value>, key: Key, value: Value): void {
  memory.delete(key);
  memory.set(key, value);
  const [oldest] = memory.keys();
  if (memory.size > REMEMBERED && oldest !== undefined) memory.delete(oldest);
}
