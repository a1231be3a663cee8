import { isSent, type Piece, partBytes, partSizes, planParts } from '../shared/domain/compose-index.ts';
import { VERSIONS_OF_A_CHART } from './seed.ts';

/** Of an index: an entry of 700 bytes, with what every entry has. */
export const BYTES_PER_VERSION = 820;

const CHART_BYTES = VERSIONS_OF_A_CHART * BYTES_PER_VERSION;

// What closes an index, with its instant, which is another one each time.
const END = new Uint8Array(40);

/** What a refresh puts into the bucket. */
export type Moved = {
  /** Of the index, by the function; about as many are read. */
  readonly bytes: number;
  /** Of an upload, those that are copied inside S3 included; 0 where the index is put as a whole. */
  readonly parts: number;
};

/**
 * What a refresh moves: the parts of the index are planned by the code that is deployed.
 *
 * @param charts how many an index has, 20 versions each
 * @param changed the places in it, from 0, of those that changed
 */
export async function movedFor(charts: number, changed: Iterable<number>): Promise<Moved> {
  const whole = charts * CHART_BYTES;
  if (whole <= partSizes.wholeBytes) return { bytes: whole, parts: 0 };
  let [bytes, parts] = [0, 0];
  for await (const part of planParts(piecesOf(charts, changed), partSizes)) {
    parts += 1;
    if (isSent(part)) bytes += partBytes(part);
  }
  return { bytes, parts };
}

function* piecesOf(charts: number, changed: Iterable<number>): Generator<Piece> {
  const kept = (from: number, to: number) => ({
    offset: from * CHART_BYTES,
    sizeBytes: (to - from) * CHART_BYTES,
  });
  let next = 0;
  for (const place of [...new Set(changed)].toSorted((a, b) => a - b)) {
    yield kept(next, place);
    yield new Uint8Array(CHART_BYTES);
    next = place + 1;
  }
  yield kept(next, charts);
  yield END;
}
