import { inParallel } from './async-iteration.ts';
import {
  isNew,
  isSent,
  type Kept,
  type Part,
  type PartSizes,
  type Piece,
  partBytes,
  planParts,
} from './domain/compose-index.ts';
import { IndexLost } from './domain/index-lost.ts';
import type { PreviousIndex } from './previous-index.ts';
import type { ObjectPart, ObjectStore } from './store/object-store.ts';

/** An index that is about to be put. */
export type IndexDraft = {
  readonly pieces: AsyncIterable<Piece> | Iterable<Piece>;
  /** What is kept is of this one; undefined where nothing is. */
  readonly previous: PreviousIndex | undefined;
  /** Called once all pieces were taken: puts what must be there before the index is. */
  readonly first: () => Promise<void>;
  /** The same, for what goes with the index. */
  readonly beside: () => Promise<void>;
};

// Eight parts are under way, and beside them sixteen charts are looked at (async-iteration.ts): 48 of the 50 sockets of
// the client. What waits for one counts as time to connect.
const READS_AT_ONCE = 4;

const options = { contentType: 'application/x-yaml' };

/**
 * Puts an index: a small one as a whole, and a large one inside the bucket, part by part, so that neither what is kept
 * nor the whole of it is ever held.
 *
 * @returns how large it is
 * @throws IndexLost if the previous one is not there any more
 */
export async function writeIndex(
  objects: Pick<ObjectStore, 'put' | 'compose'>,
  key: string,
  { pieces, previous, first, beside }: IndexDraft,
  sizes: PartSizes,
): Promise<number> {
  const parts = planParts(pieces, sizes);
  const held: Part[] = [];
  let sizeBytes = 0;

  async function next(): Promise<Part | undefined> {
    const { value: part } = await parts.next();
    if (part) sizeBytes += partBytes(part);
    return part || undefined;
  }

  async function* objectParts(): AsyncGenerator<ObjectPart> {
    for (let part = held.shift(); part !== undefined; part = held.shift()) yield objectPart(part, previous);
    for (let part = await next(); part !== undefined; part = await next()) yield objectPart(part, previous);
    await Promise.all([first(), beside()]);
  }

  while (sizeBytes <= sizes.wholeBytes) {
    const part = await next();
    if (part === undefined) {
      await first();
      const bytes = await bytesOf(held.flat(), previous);
      await Promise.all([objects.put(key, bytes, options), beside()]);
      return sizeBytes;
    }
    held.push(part);
  }
  if (!(await objects.compose(key, objectParts(), options))) throw new IndexLost(previous?.key);
  return sizeBytes;
}

function objectPart(part: Part, previous: PreviousIndex | undefined): ObjectPart {
  if (isSent(part)) return { bytes: () => bytesOf(part, previous) };
  if (previous === undefined) throw new IndexLost();
  return { from: previous.key, ...part };
}

async function readFrom(previous: PreviousIndex | undefined, stretch: Kept): Promise<Uint8Array> {
  if (previous === undefined) throw new IndexLost();
  return await previous.read(stretch);
}

async function bytesOf(pieces: readonly Piece[], previous: PreviousIndex | undefined): Promise<Uint8Array> {
  const resolved: Uint8Array[] = [];
  const resolve = async ([position, piece]: [number, Piece]) => {
    resolved[position] = isNew(piece) ? piece : await readFrom(previous, piece);
  };
  await inParallel([...pieces.entries()], resolve, READS_AT_ONCE);
  return Buffer.concat(resolved);
}
