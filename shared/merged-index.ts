import { Fault } from './domain/fault.ts';
import { copyPiece, frameMerged, mergedDigest, planMerge } from './domain/merged-index.ts';
import { mergedKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import { indexTag } from './index-objects.ts';
import {
  openProjects,
  type ProjectIndex,
  type Reading,
  type ReadProjects,
  readPieces,
  readProjects,
} from './project-indexes.ts';
import { INLINE_BYTES, remember } from './read-index.ts';
import type { IndexDependencies } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import { findForADay, putForADay, type StoredForADay } from './stored-for-a-day.ts';

export type MergedDependencies = IndexDependencies & { readonly objects: Pick<ObjectStore, 'signedUrl'> };

export type MergedAnswer = { readonly etag: string } & (
  | { readonly kind: 'known' }
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | StoredForADay
);

/** The function has 2 GB: this, and what is inserted, and some pieces that are being read. */
const MOST_BYTES = 200 * 1024 * 1024;

// Large enough that the time to ask for a piece does not matter, and sixteen of them fit beside the whole.
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * Makes the reader of the merged index of one execution environment; it remembers the small ones that it gave last.
 * Which index that is follows from the pointers alone, so what a client or the bucket has already is not made again.
 */
export function mergedIndexReader(
  dependencies: MergedDependencies,
): (projects: readonly Repository[], isKnown: (etag: string) => boolean) => Promise<MergedAnswer> {
  const remembered = new Map<string, MergedAnswer>();

  const inline: Way = async (etag, merge) => {
    const known = remembered.get(etag);
    if (known !== undefined) return { kind: 'read', value: known };
    const merged = await merge();
    if (merged.kind === 'lost') return merged;
    const answer: MergedAnswer = { kind: 'inline', etag, bytes: merged.value };
    remember(remembered, etag, answer);
    return { kind: 'read', value: answer };
  };

  return (projects, isKnown) =>
    readProjects(dependencies, projects, async (indexes, mustBeInTime): Promise<Reading<MergedAnswer>> => {
      const etag = tagOf(indexes, dependencies);
      if (isKnown(etag)) return { kind: 'read', value: { kind: 'known', etag } };
      const sizeBytes = indexes.reduce((sum, { pointer }) => sum + (pointer?.sizeBytes ?? 0), 0);
      if (sizeBytes > MOST_BYTES) throw tooLarge();
      const way = sizeBytes > INLINE_BYTES ? stored(dependencies, mustBeInTime) : inline;
      return await way(etag, () => merge(dependencies, indexes, mustBeInTime));
    });
}

/** How an answer is given, made only if it must be. */
type Way = (etag: string, merge: () => Promise<Reading<Buffer>>) => Promise<Reading<MergedAnswer>>;

/** By the bucket: its key holds the digest of all that decides its bytes, so whoever puts it, puts the same. */
function stored(dependencies: MergedDependencies, mustBeInTime: () => void): Way {
  const answer = (etag: string, found: StoredForADay): Reading<MergedAnswer> => ({
    kind: 'read',
    value: { etag, ...found },
  });
  return async (etag, merge) => {
    const found = await findForADay(dependencies, mergedKey(etag));
    if (found !== undefined) return answer(etag, found);
    const merged = await merge();
    if (merged.kind === 'lost') return merged;
    mustBeInTime();
    return answer(etag, await putForADay(dependencies, mergedKey(etag), merged.value));
  };
}

const merge = async (
  dependencies: MergedDependencies,
  indexes: readonly ProjectIndex[],
  mustBeInTime: Parameters<ReadProjects<never>>[1],
): Promise<Reading<Buffer>> => {
  const { settings } = dependencies;
  const opened = await openProjects(dependencies, indexes);
  if (opened.kind === 'lost') return opened;
  const plan = planMerge(opened.value, settings, PIECE_BYTES);
  const merged = Buffer.alloc(plan.sizeBytes);
  const generated: string[] = [];
  const lost = await readPieces(
    dependencies,
    plan.pieces,
    (piece, bytes) => {
      const copied = copyPiece(piece, bytes, merged, settings);
      if (copied?.generated !== undefined) generated.push(copied.generated);
      return copied !== undefined;
    },
    mustBeInTime,
  );
  if (lost !== undefined) return lost;
  frameMerged(plan, generated, merged, settings);
  return { kind: 'read', value: merged };
};

/** The strong tag, without quotes. */
function tagOf(indexes: readonly ProjectIndex[], { settings }: MergedDependencies): string {
  const states = indexes.map(({ project, pointer }) => ({
    project,
    state: pointer === undefined ? '0' : indexTag(pointer.folder),
  }));
  return mergedDigest(states, settings);
}

const tooLarge = () =>
  new Fault('too_large', 'the index of all projects is larger than 200 MB: add the projects one by one');
