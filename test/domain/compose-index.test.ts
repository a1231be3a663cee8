import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import {
  isNew,
  isSent,
  type Part,
  type Piece,
  partBytes,
  planParts,
} from '../../shared/domain/compose-index.ts';

const sizes = { leastBytes: 5, sentBytes: 8, copiedBytes: 16 };

/** An index before, of which no two places are alike, as far as a byte goes. */
const previous = Uint8Array.from({ length: 250 }, (_, n) => n);

const resolve = (piece: Piece) =>
  isNew(piece) ? piece : previous.subarray(piece.offset, piece.offset + piece.sizeBytes);

const joined = (parts: readonly Part[]) =>
  Buffer.concat(parts.flatMap((part) => (isSent(part) ? part.map(resolve) : [resolve(part)])));

const anyKept = fc
  .tuple(fc.nat({ max: previous.length }), fc.nat({ max: previous.length }))
  .map(([a, b]) => ({ offset: Math.min(a, b), sizeBytes: Math.abs(a - b) }));
const anyPieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 30 }), anyKept));

describe('the parts of an index', () => {
  it('are its pieces, byte for byte, and only the last may be smaller than S3 takes', async () => {
    await fc.assert(
      fc.asyncProperty(anyPieces, async (pieces) => {
        const parts = await collect(planParts(pieces, sizes));
        expect(joined(parts)).toEqual(Buffer.concat(pieces.map(resolve)));
        for (const [n, part] of parts.entries()) {
          if (n < parts.length - 1) expect(partBytes(part)).toBeGreaterThanOrEqual(sizes.leastBytes);
          expect(partBytes(part)).toBeGreaterThan(0);
          expect(partBytes(part)).toBeLessThanOrEqual(sizes.copiedBytes);
        }
      }),
    );
  });

  it('read no more of what is kept than makes a part of each change, and what is left before the end', async () => {
    const anyChanges = fc.array(
      fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 30 }), fc.integer({ min: 11, max: 40 })),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(anyChanges, async (changes) => {
        let offset = 0;
        const pieces = changes.flatMap(([bytes, sizeBytes]) => {
          offset += sizeBytes;
          return [{ offset: offset - sizeBytes, sizeBytes }, bytes];
        });
        const parts = await collect(planParts(pieces, sizes));
        const read = parts.flatMap((part) => (isSent(part) ? part.filter((piece) => !isNew(piece)) : []));
        const readBytes = partBytes(read);
        expect(readBytes).toBeLessThanOrEqual(changes.length * sizes.leastBytes);
      }),
    );
  });

  it('copy what is kept on both sides of a change, and send the change with what follows it', async () => {
    const change = Uint8Array.of(1, 2, 3);
    const tail = Uint8Array.of(9);
    const pieces = [{ offset: 0, sizeBytes: 100 }, change, { offset: 100, sizeBytes: 100 }, tail];
    const parts = await collect(planParts(pieces, { ...sizes, copiedBytes: 50 }));
    expect(parts).toEqual([
      { offset: 0, sizeBytes: 50 },
      { offset: 50, sizeBytes: 50 },
      [change, { offset: 100, sizeBytes: 2 }],
      { offset: 102, sizeBytes: 49 },
      { offset: 151, sizeBytes: 49 },
      [tail],
    ]);
  });

  it('are one for changes that lie close', async () => {
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)];
    const pieces = [one, { offset: 0, sizeBytes: 2 }, two, { offset: 2, sizeBytes: 30 }];
    expect(await collect(planParts(pieces, sizes))).toEqual([
      [one, { offset: 0, sizeBytes: 2 }, two, { offset: 2, sizeBytes: 1 }],
      { offset: 3, sizeBytes: 14 },
      { offset: 17, sizeBytes: 15 },
    ]);
  });
});
