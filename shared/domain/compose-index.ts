/** A stretch of the index before, in bytes, that comes unchanged into the next one. */
export type Kept = { readonly offset: number; readonly sizeBytes: number };

/** An index is its pieces, one after the other: new bytes, and what is kept. */
export type Piece = Uint8Array | Kept;

/** A part of an upload: a stretch that is copied where it lies, or pieces that are sent. */
export type Part = Kept | readonly Piece[];

/** Sizes in bytes by which an index is put. */
export type PartSizes = {
  /** An index up to here is put as a whole. */
  readonly wholeBytes: number;
  /** Every part but the last has at least so many. */
  readonly leastBytes: number;
  /** A part that is sent is complete with so many; a small stretch after it may come along. */
  readonly sentBytes: number;
  /** A stretch that is copied is divided so that no part has more; at least twice `leastBytes`. */
  readonly copiedBytes: number;
};

const MIB = 1024 * 1024;

/**
 * Why 16 MiB whole and 16 MiB a copy: docs/decisions/composed-index.md. S3 takes 10,000 parts, which is enough for an
 * index of 50 GB.
 */
export const partSizes: PartSizes = {
  wholeBytes: 16 * MIB,
  leastBytes: 5 * MIB, // S3's own limit
  sentBytes: 8 * MIB,
  copiedBytes: 16 * MIB,
};

export const isNew = (piece: Piece): piece is Uint8Array => piece instanceof Uint8Array;

export const isSent = (part: Part): part is readonly Piece[] => Array.isArray(part);

const pieceBytes = (piece: Piece): number => (isNew(piece) ? piece.length : piece.sizeBytes);

export const partBytes = (part: Part): number =>
  isSent(part) ? part.reduce((sum, piece) => sum + pieceBytes(piece), 0) : part.sizeBytes;

/**
 * Divides the pieces of an index into the parts of an upload, in their order. What is kept is copied, but for as much
 * of what follows new bytes as makes a part of these large enough; changes that lie close are one part.
 *
 * A part is given as soon as it is known, so no more than one is held.
 */
export async function* planParts(
  pieces: AsyncIterable<Piece> | Iterable<Piece>,
  { leastBytes, sentBytes, copiedBytes }: Omit<PartSizes, 'wholeBytes'>,
): AsyncGenerator<Part> {
  let sent: Piece[] = [];
  let size = 0;
  // Comes after what is to be sent, and may go on.
  let kept: Kept = { offset: 0, sizeBytes: 0 };

  const send = (piece: Piece) => {
    sent.push(piece);
    size += pieceBytes(piece);
  };
  const cut = (): Part => {
    const part = sent;
    sent = [];
    size = 0;
    return part;
  };

  /** Decides on what is kept once it is known where it ends. */
  function* settle(): Generator<Part> {
    if (size > 0) {
      const [filling, rest] = divide(kept, Math.max(0, leastBytes - size));
      if (filling.sizeBytes > 0) send(filling);
      kept = rest;
    }
    if (kept.sizeBytes >= leastBytes) {
      if (size > 0) yield cut();
      yield* copies(kept, copiedBytes);
    } else if (kept.sizeBytes > 0) {
      send(kept);
    }
    kept = { offset: 0, sizeBytes: 0 };
    if (size >= sentBytes) yield cut();
  }

  for await (const piece of pieces) {
    if (pieceBytes(piece) === 0) continue;
    if (!isNew(piece) && kept.sizeBytes > 0 && kept.offset + kept.sizeBytes === piece.offset) {
      kept = { offset: kept.offset, sizeBytes: kept.sizeBytes + piece.sizeBytes };
      continue;
    }
    yield* settle();
    if (!isNew(piece)) {
      kept = piece;
      continue;
    }
    for (let rest: Uint8Array = piece; rest.length > 0; ) {
      const room = sentBytes - size;
      send(rest.subarray(0, room));
      rest = rest.subarray(room);
      if (size >= sentBytes) yield cut();
    }
  }
  yield* settle();
  if (size > 0) yield cut();
}

function divide({ offset, sizeBytes }: Kept, at: number): [Kept, Kept] {
  const first = Math.min(at, sizeBytes);
  return [
    { offset, sizeBytes: first },
    { offset: offset + first, sizeBytes: sizeBytes - first },
  ];
}

/** Of about the same size, so that none is too small, and they can be copied beside each other. */
function* copies({ offset, sizeBytes }: Kept, mostBytes: number): Generator<Kept> {
  const count = Math.ceil(sizeBytes / mostBytes);
  for (let n = 0; n < count; n += 1) {
    const start = Math.floor((sizeBytes * n) / count);
    const end = Math.floor((sizeBytes * (n + 1)) / count);
    yield { offset: offset + start, sizeBytes: end - start };
  }
}
