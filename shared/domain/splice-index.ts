import type { ChartName } from './chart-name.ts';
import type { Piece } from './compose-index.ts';
import { compareText, type IndexSettings } from './entry.ts';
import { type Fragment, frame, type Ranges, rangeOf } from './index-file.ts';
import { blocksOf, type RangeBlock, type RangeBlocks, rangesIn } from './range-blocks.ts';

/** An index by its pieces, and where its fragments will be. */
export type SplicedIndex = { readonly pieces: readonly Piece[]; readonly blocks: RangeBlocks };

/** The new fragment of each changed chart; undefined for one that is gone. */
export type Changes = ReadonlyMap<ChartName, Fragment | undefined>;

/**
 * Puts changed charts into an index without reading the others: byte for byte what {@link renderIndex}
 * gives for the same state.
 *
 * @param previous the ranges of an index rendered with the same settings
 */
export function spliceIndex(
  previous: RangeBlocks,
  changes: Changes,
  generated: string,
  settings: IndexSettings,
): SplicedIndex {
  const { head, separator } = frame(1, generated, settings);
  const pieces: Piece[] = [];
  // In the index before: the fragment that comes next, and the first one of those that are kept up to it.
  let offset = head.length;
  let from = offset;

  function keep() {
    if (from === offset) return;
    const isFirst = pieces.length === 0;
    const before = from === head.length ? head : separator;
    // Whether what precedes it there is what must precede it here.
    const isSame = isFirst === (before === head);
    if (!isSame) pieces.push(isFirst ? head : separator);
    const start = isSame ? from - before.length : from;
    pieces.push({ offset: start, sizeBytes: offset - separator.length - start });
    from = offset;
  }
  function add(fragment: Fragment): Ranges[number] {
    keep();
    pieces.push(pieces.length === 0 ? head : separator, fragment.bytes);
    return rangeOf(fragment);
  }

  const sorted = [...changes].sort(([a], [b]) => compareText(a, b));
  let next = 0;
  /** Adds the changes up to a name, or all that are left. */
  function addBefore(name: ChartName | undefined): Ranges {
    const added: Ranges[number][] = [];
    for (let change = sorted[next]; change !== undefined; change = sorted[next]) {
      const [changed, fragment] = change;
      if (name !== undefined && compareText(changed, name) >= 0) break;
      if (fragment !== undefined) added.push(add(fragment));
      next += 1;
    }
    return added;
  }

  const blocks: RangeBlock[] = [];
  for (const [position, block] of previous.entries()) {
    const following = previous[position + 1]?.first;
    const [change] = sorted[next] ?? [];
    if (change === undefined || (following !== undefined && compareText(change, following) >= 0)) {
      blocks.push(block);
      offset += block.sizeBytes + block.charts * separator.length;
      continue;
    }
    const ranges: Ranges[number][] = [];
    for (const range of rangesIn(block)) {
      ranges.push(...addBefore(range.name));
      const isChanged = sorted[next]?.[0] === range.name;
      if (isChanged) keep();
      else ranges.push(range);
      offset += range.sizeBytes + separator.length;
      if (isChanged) from = offset;
    }
    blocks.push(...blocksOf([...ranges, ...addBefore(following)]));
  }
  blocks.push(...blocksOf(addBefore(undefined)));
  keep();

  const charts = blocks.reduce((sum, block) => sum + block.charts, 0);
  const { head: whole, tail } = frame(charts, generated, settings);
  if (pieces.length === 0) pieces.push(whole);
  return { pieces: [...pieces, tail], blocks };
}
