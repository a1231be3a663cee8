import type { ChartName } from './chart-name.ts';
import type { Kept } from './compose-index.ts';
import { compareText, type IndexSettings } from './entry.ts';
import { frame, type Ranges, sizeOfIndex } from './index-file.ts';
import { IndexLost } from './index-lost.ts';

/** Charts that follow one another in an index, and the text that says where each of them is. */
export type RangeBlock = {
  readonly first: ChartName;
  readonly charts: number;
  /** How many versions they have, those too that the index leaves out. */
  readonly live: number;
  /** Of their fragments. */
  readonly sizeBytes: number;
  readonly text: Uint8Array;
};

/** The ranges of an index in its order, of which only those need be read that are looked at. */
export type RangeBlocks = readonly RangeBlock[];

// A chart takes some 25 bytes: about as much is read for one as there are blocks in an index of 100,000.
const CHARTS = 256;

// How many versions a chart has is said where the index does not list all of them.
type Row = [ChartName, number, number, number?];
type BlockRow = [ChartName, number, number, number, number];

/** @param charts how many a block has; from three quarters as many to one and a half times, so that few changes divide it */
export function blocksOf(ranges: Ranges, charts = CHARTS): RangeBlocks {
  const count = Math.min(ranges.length, Math.max(1, Math.round(ranges.length / charts)));
  const start = (position: number) => Math.floor((position * ranges.length) / count);
  return Array.from({ length: count }, (_, n) => blockOf(ranges.slice(start(n), start(n + 1))));
}

function blockOf(ranges: Ranges): RangeBlock {
  return {
    first: ranges[0]?.name ?? ('' as ChartName),
    charts: ranges.length,
    live: sumOf(ranges, 'live'),
    sizeBytes: sumOf(ranges, 'sizeBytes'),
    // Arrays: a chart may be called `__proto__`.
    text: Buffer.from(JSON.stringify(ranges.map(rowOf))),
  };
}

function rowOf({ name, sizeBytes, versions, live }: Ranges[number]): Row {
  return live === versions ? [name, sizeBytes, versions] : [name, sizeBytes, versions, live];
}

/**
 * The charts of a block.
 *
 * @throws IndexLost if its text says something else than the block does: an index spliced by it would be wrong
 */
export function rangesIn(block: RangeBlock): Ranges {
  const ranges = rangesOf(block.text);
  const names = ranges.map(({ name }) => name);
  const fits =
    ranges.length === block.charts &&
    names[0] === block.first &&
    names.every((name, n) => n === 0 || compareText(names[n - 1] ?? name, name) < 0) &&
    sumOf(ranges, 'live') === block.live &&
    sumOf(ranges, 'sizeBytes') === block.sizeBytes;
  if (!fits) throw new IndexLost(`the ranges from ${block.first} on are damaged`);
  return ranges;
}

function rangesOf(text: Uint8Array): Ranges {
  try {
    return asRanges(JSON.parse(Buffer.from(text).toString()) as Row[]);
  } catch {
    return [];
  }
}

const sumOf = (ranges: Ranges, of: 'live' | 'sizeBytes') =>
  ranges.reduce((total, range) => total + range[of], 0);

const asRanges = (rows: readonly Row[]): Ranges =>
  rows.map(([name, sizeBytes, versions, live = versions]) => ({ name, sizeBytes, versions, live }));

const [head, separator, tail] = ['],"rows":[\n', ',\n', '\n]}\n'];

/** The ranges as JSON, to be kept beside the index: on the first line the blocks, then one a line. */
export function renderBlocks(blocks: RangeBlocks): Buffer {
  const rows = blocks.map(({ first, charts, live, sizeBytes, text }): BlockRow => {
    return [first, charts, live, sizeBytes, text.length];
  });
  const parts: Uint8Array[] = [Buffer.from(`{"blocks":${JSON.stringify(rows).slice(0, -1)}${head}`)];
  for (const [position, { text }] of blocks.entries()) {
    if (position > 0) parts.push(Buffer.from(separator));
    parts.push(text);
  }
  return Buffer.concat([...parts, Buffer.from(tail)]);
}

/** Reads back what {@link renderBlocks} wrote, but for what is in the blocks. @returns undefined for other bytes */
export function readBlocks(bytes: Uint8Array): RangeBlocks | undefined {
  const line = bytes.indexOf('\n'.charCodeAt(0)) + 1;
  try {
    // What was written before there were blocks.
    if (line === 0) return blocksOf(asRanges(JSON.parse(Buffer.from(bytes).toString()) as Row[]));
    const { blocks } = JSON.parse(`${Buffer.from(bytes.subarray(0, line))}]}`) as { blocks: BlockRow[] };
    let offset = line;
    const read = blocks.map(([first, charts, live, sizeBytes, length]): RangeBlock => {
      const text = bytes.subarray(offset, offset + length);
      offset += length + separator.length;
      return { first, charts, live, sizeBytes, text };
    });
    const end = blocks.length === 0 ? offset : offset - separator.length;
    return end + tail.length === bytes.length ? read : undefined;
  } catch {
    return undefined;
  }
}

/** All ranges that {@link renderBlocks} wrote. @returns undefined for bytes that are something else */
export function readRanges(bytes: Uint8Array): Ranges | undefined {
  try {
    return readBlocks(bytes)?.flatMap(rangesIn);
  } catch {
    return undefined;
  }
}

/** How long an index with these fragments is, in bytes. */
export function sizeByBlocks(blocks: RangeBlocks, settings: IndexSettings): number {
  const charts = blocks.reduce((sum, block) => sum + block.charts, 0);
  return sizeOfIndex(
    charts,
    blocks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    settings,
  );
}

/** Finds where a chart's fragment is in an index, in bytes. */
export function findInBlocks(
  blocks: RangeBlocks,
  format: IndexSettings['format'],
): (name: ChartName) => (Kept & Ranges[number]) | undefined {
  const frameOf = frame(1, '', { format, chartUrl: '', contextPath: '' });
  const offsets = new Float64Array(blocks.length);
  let end = frameOf.head.length;
  for (const [position, { sizeBytes, charts }] of blocks.entries()) {
    offsets[position] = end;
    end += sizeBytes + charts * frameOf.separator.length;
  }
  const read = new Map<number, ReadonlyMap<ChartName, Kept & Ranges[number]>>();

  function placesIn(position: number, block: RangeBlock): ReadonlyMap<ChartName, Kept & Ranges[number]> {
    const known = read.get(position);
    if (known !== undefined) return known;
    const places = new Map<ChartName, Kept & Ranges[number]>();
    let offset = offsets[position] ?? 0;
    for (const range of rangesIn(block)) {
      places.set(range.name, { ...range, offset });
      offset += range.sizeBytes + frameOf.separator.length;
    }
    read.set(position, places);
    return places;
  }

  return (name) => {
    const position = blocks.findLastIndex(({ first }) => compareText(first, name) <= 0);
    const block = blocks[position];
    return block && placesIn(position, block).get(name);
  };
}
