import { describe, expect, it } from 'vitest';
import { type Flip, settledSequence, withFlip } from '../../shared/domain/flips.ts';
import { type IndexFolder, supersededIndexes } from '../../shared/domain/leftovers.ts';

const now = Date.parse('2026-01-02T03:04:05.678Z');
const aMinute = 60_000;

/** An index, `ago` minutes after the last of its objects was put. */
const index = (id: string, { ago = 30, isFirst = false } = {}): IndexFolder => ({
  folder: `index/-/${id}/`,
  sequence: Number.parseInt(id, 10),
  isFirst,
  modified: now - ago * aMinute,
});

/** Became current so many minutes ago. */
const flip = (sequence: number, ago: number): Flip => ({
  sequence,
  began: now - ago * aMinute,
  at: now - ago * aMinute,
  marks: 1,
});

describe('a superseded index', () => {
  const pointer = {
    folder: 'index/-/5-e/',
    sequence: 5,
    shrank: [],
    flips: [flip(2, 20), flip(3, 10), flip(4, 2), flip(5, 1)],
  };
  const current = index('5-e', { ago: 1 });
  const removed = (folders: readonly IndexFolder[], more: object = {}, { ahead = false } = {}) =>
    supersededIndexes([...folders, current], { ...pointer, ...more }, now, { ahead }).map(
      ({ folder }) => folder,
    );

  it.each<{ what: string; folder: IndexFolder; pointer?: object; removes: boolean; ahead?: boolean }>([
    { what: 'was replaced ten minutes ago', folder: index('2-b'), removes: true },
    { what: 'was replaced two minutes ago', folder: index('3-c'), removes: false },
    { what: 'was replaced a minute ago', folder: index('4-d'), removes: false },
    {
      what: 'lost the race for a number of which nothing tells who won',
      folder: index('3-x'),
      removes: false,
    },
    { what: 'lost the race for the present number', folder: index('5-x', { ago: 1 }), removes: false },
    {
      what: 'lost the race for the present number, which is settled',
      folder: index('5-x'),
      pointer: { flips: [flip(5, 3)] },
      removes: true,
    },
    { what: 'may be about to become current', folder: index('6-f', { ago: 0 }), removes: false },
    {
      what: 'was about to, before the table was set back',
      folder: index('9-i', { ago: 90 }),
      removes: false,
    },
    { what: 'was about to, and died over it', folder: index('6-f', { ago: 90 }), removes: true, ahead: true },
    {
      what: 'a repair needs',
      folder: index('2-b'),
      pointer: { shrank: [{ before: 'index/-/2-b/', after: '' }] },
      removes: false,
    },
    {
      what: 'has the list of what is lost',
      folder: index('2-b'),
      pointer: { lost: 'index/-/2-b/' },
      removes: false,
    },
    {
      what: 'can take the place of none, were the pointer lost now',
      folder: index('1-first-a', { isFirst: true }),
      removes: false,
    },
    {
      what: 'could, more than an hour ago',
      folder: index('1-first-a', { isFirst: true, ago: 61 }),
      removes: true,
    },
    { what: 'was replaced who knows when', folder: index('2-b'), pointer: { flips: [] }, removes: false },
  ])('that $what: is it removed? $removes', ({ folder, pointer: more, removes, ahead = false }) => {
    expect(removed([folder], more, { ahead })).toEqual(removes ? [folder.folder] : []);
  });

  it('stays while the current one is lost', () => {
    expect(supersededIndexes([index('2-b')], pointer, now, { ahead: true })).toEqual([]);
  });

  it('tells for an hour of a pointer that was lost', () => {
    const first = { folder: 'index/-/5-first-e/', flips: [flip(5, 10)] };
    const since = (ago: number) => [index('4-d', { ago: 90 }), index('5-first-e', { isFirst: true, ago })];
    expect(supersededIndexes(since(10), { ...pointer, ...first }, now, { ahead: false })).toEqual([]);
    expect(supersededIndexes(since(61), { ...pointer, ...first }, now, { ahead: false })).toHaveLength(1);
  });
});

it('flips that come close to each other are thinned out, and say no less than 160 seconds later', () => {
  let flips: readonly Flip[] = [];
  for (let sequence = 1; sequence <= 10_000; sequence += 1) {
    const at = now + sequence * 200;
    flips = withFlip(flips, { sequence, began: at, at, marks: sequence });
    expect(flips.length).toBeLessThan(20);
    expect(flips.at(-1)).toEqual({ sequence, began: at, at, marks: sequence });
    // At five a second, 150 seconds are 750 of them, and ten more seconds fifty.
    if (sequence > 800) expect(settledSequence(flips, at)).toBeGreaterThanOrEqual(sequence - 801);
    expect(settledSequence(flips, at)).toBeLessThan(Math.max(1, sequence - 749));
  }
});

it.each([1, 9, 10, 12, 60, 149])(
  'flips by clocks %i seconds apart are few, and say no more than they know',
  (apart) => {
    let flips: readonly Flip[] = [];
    const ahead = now + apart * 1_000;
    for (let sequence = 1; sequence <= 10_000; sequence += 1) {
      const at = (sequence % 2 === 0 ? now : ahead) + sequence * 200;
      flips = withFlip(flips, { sequence, began: at, at, marks: 1 });
      expect(flips.length).toBeLessThanOrEqual(33);
      const settled = settledSequence(flips, ahead + sequence * 200);
      // As where there is one clock, by the one that is ahead.
      if (sequence > 800) expect(settled).toBeGreaterThanOrEqual(sequence - 802);
      expect(settled).toBeLessThan(Math.max(1, sequence - 749));
    }
  },
);

it('a flip by a clock that is an hour ahead is forgotten by those that come after it', () => {
  let flips: readonly Flip[] = [];
  for (let sequence = 1; sequence <= 1_000; sequence += 1) {
    const at = now + sequence * 1_000;
    flips = withFlip(flips, { sequence, began: at, at: sequence === 500 ? at + 3_600_000 : at, marks: 1 });
    expect(flips.length).toBeLessThan(20);
  }
  expect(settledSequence(flips, now + 1_000_000)).toBeGreaterThan(800);
});
