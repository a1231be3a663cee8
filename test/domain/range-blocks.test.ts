import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChartName } from '../../shared/domain/chart-name.ts';
import { isNew } from '../../shared/domain/compose-index.ts';
import {
  type Fragment,
  fragmentPlaces,
  indexSize,
  type Ranges,
  renderIndex,
} from '../../shared/domain/index-file.ts';
import { IndexLost } from '../../shared/domain/index-lost.ts';
import {
  blocksOf,
  findInBlocks,
  type RangeBlocks,
  rangesIn,
  readBlocks,
  readRanges,
  renderBlocks,
  sizeByBlocks,
} from '../../shared/domain/range-blocks.ts';
import { spliceIndex } from '../../shared/domain/splice-index.ts';

const GENERATED = '2026-01-02T03:04:05Z';
const settings = { format: 'json', chartUrl: '', contextPath: '' } as const;

const fragmentOf = (n: number, text: string): Fragment => ({
  name: parseChartName(`chart-${n}`),
  bytes: Buffer.from(`"chart-${n}":["${text}"]`),
  versions: text.length,
  // Of some, more than the index lists.
  live: text.length + (n % 2),
});
const anyFragments = fc
  .uniqueArray(fc.tuple(fc.nat({ max: 60 }), fc.string({ unit: 'grapheme-ascii' })), {
    selector: ([n]) => n,
    maxLength: 60,
  })
  .map((all) => all.map(([n, text]) => fragmentOf(n, text)));

const rebuilt = (fragments: readonly Fragment[]) => renderIndex(fragments, GENERATED, settings);
const allOf = (blocks: RangeBlocks): Ranges => blocks.flatMap(rangesIn);

describe('the ranges of an index in blocks', () => {
  it('are spliced chart by chart, whatever block each is in, and say where every chart is', () => {
    fc.assert(
      fc.property(anyFragments, anyFragments, fc.integer({ min: 1, max: 9 }), (old, changed, charts) => {
        const before = rebuilt(old);
        const blocks = blocksOf(before.ranges, charts);
        // Of the changed ones that say nothing, the charts are gone.
        const changes = new Map(changed.map((each) => [each.name, each.versions > 0 ? each : undefined]));
        const spliced = spliceIndex(blocks, changes, GENERATED, settings);
        const now = [
          ...old.filter(({ name }) => !changes.has(name)),
          ...changed.filter(({ versions }) => versions > 0),
        ];
        const { bytes, ranges } = rebuilt(now);
        const resolved = spliced.pieces.map((piece) =>
          isNew(piece) ? piece : before.bytes.subarray(piece.offset, piece.offset + piece.sizeBytes),
        );
        expect(Buffer.concat(resolved).toString()).toBe(bytes.toString());
        expect(allOf(spliced.blocks)).toEqual(ranges);
        expect(sizeByBlocks(spliced.blocks, settings)).toBe(indexSize(ranges, settings));

        const find = findInBlocks(spliced.blocks, 'json');
        const places = fragmentPlaces(ranges, 'json');
        for (let n = 0; n <= 60; n += 1) {
          const name = parseChartName(`chart-${n}`);
          const range = ranges.find((each) => each.name === name);
          expect(find(name)).toEqual(range && { ...range, ...places.get(name) });
        }
      }),
    );
  });

  it('leaves alone the blocks in which nothing changed', () => {
    const many = Array.from({ length: 60 }, (_, n) => fragmentOf(n, 'x'));
    const blocks = blocksOf(rebuilt(many).ranges, 6);
    const changed = fragmentOf(30, 'changed');
    const spliced = spliceIndex(blocks, new Map([[changed.name, changed]]), GENERATED, settings);
    expect(spliced.blocks.filter((block) => !blocks.includes(block))).toHaveLength(1);
  });

  it('are read back as they were written, by block and all together', () => {
    fc.assert(
      fc.property(anyFragments, fc.integer({ min: 1, max: 9 }), (fragments, charts) => {
        const { ranges } = rebuilt(fragments);
        const bytes = renderBlocks(blocksOf(ranges, charts));
        expect(readRanges(bytes)).toEqual(ranges);
        expect(allOf(readBlocks(bytes) ?? [])).toEqual(ranges);
      }),
    );
  });

  it('are read as they were written before there were blocks', () => {
    const plain = Buffer.from('[["a",10,1],["b",20,2]]');
    const ranges = [
      { name: 'a', sizeBytes: 10, versions: 1, live: 1 },
      { name: 'b', sizeBytes: 20, versions: 2, live: 2 },
    ];
    expect(readRanges(plain)).toEqual(ranges);
    expect(allOf(readBlocks(plain) ?? [])).toEqual(ranges);
  });

  it.each([
    { what: 'no text of ranges', text: '[["a",10,1],["b",20' },
    { what: 'no rows', text: 'null' },
    { what: 'fewer charts', text: '[["a",30,3]]' },
    { what: 'another first chart', text: '[["aa",10,1],["b",20,2]]' },
    { what: 'other sizes', text: '[["a",10,1],["b",21,2]]' },
    { what: 'other numbers of versions', text: '[["a",10,1],["b",20,3]]' },
    { what: 'a chart twice', text: '[["a",10,1],["a",20,2]]' },
  ])('are not taken from a block whose text is damaged: $what', ({ text }) => {
    const [block] = readBlocks(Buffer.from('[["a",10,1],["b",20,2]]')) ?? [];
    if (block === undefined) throw new Error('there is no block');
    expect(rangesIn(block)).toHaveLength(2);
    const damaged = { ...block, text: Buffer.from(text) };
    expect(() => rangesIn(damaged)).toThrow(IndexLost);
    expect(readRanges(renderBlocks([damaged]))).toBeUndefined();
  });

  it.each(['', 'x', '{', 'null', '{"blocks":[],"rows":[\n', '{"blocks":[["a",1,1,1,9]],"rows":[\n[]\n]}\n'])(
    'are not read from %j',
    (text) => {
      expect(readBlocks(Buffer.from(text))).toBeUndefined();
      if (!text.endsWith('}\n')) expect(readRanges(Buffer.from(text))).toBeUndefined();
    },
  );
});
