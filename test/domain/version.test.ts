import fc from 'fast-check';
import semver from 'semver';
import { describe, expect, it } from 'vitest';
import {
  type ChartVersion,
  compareVersions,
  isChartVersion,
  isPrerelease,
  parseChartVersion,
  selectVersion,
} from '../../shared/domain/version.ts';
import { versions } from './arbitraries.ts';

const LARGEST = '18446744073709551615';

describe('a version', () => {
  it.each([
    ['1'],
    ['1.2'],
    ['1.2.3'],
    ['v1'],
    ['v1.2.3'],
    ['01.2.3'],
    ['1.02.3'],
    ['2024.1.2'],
    ['1.2.3-rc.1+b.1'],
    ['1.2.3+01'],
    ['1.2.3--'],
    ['1.2.3-0'],
    [`${LARGEST}.${LARGEST}.${LARGEST}`],
    [`1.0.0-${'a'.repeat(122)}`],
  ])('may be %s', (text) => {
    expect(parseChartVersion(text)).toBe(text);
  });

  it.each([
    ['', 'nothing'],
    ['latest', 'a word'],
    ['1.2.3.4', 'a fourth number'],
    ['1.0.0+', 'an empty build part'],
    ['1.0.0-', 'an empty pre-release'],
    ['1.0.0-a..b', 'an empty part of a pre-release'],
    ['1.0.0-01', 'a number with a zero before it in a pre-release'],
    ['1.0.0-alpha_b', 'an underscore'],
    [' 1.0.0', 'a leading blank'],
    ['1.0.0\n', 'a line end'],
    ['V1.0.0', 'a capital V'],
    ['1.0.0/../x', 'a path'],
    ['18446744073709551616.0.0', 'a number over 64 bits'],
    ['1-rc', 'a pre-release after one number'],
    ['1.2-rc.1', 'a pre-release after two numbers'],
    ['v1+b', 'a build part after one number'],
    [`1.0.0-${'a'.repeat(123)}`, 'more than 128 characters'],
  ])('%j is refused: %s', (text) => {
    expect(() => parseChartVersion(text)).toThrow(expect.objectContaining({ code: 'invalid_version' }));
    expect(isChartVersion(text)).toBe(false);
  });

  it('is refused with a reason and the way out', () => {
    expect(() => parseChartVersion('1.2-rc.1')).toThrow(/needs three numbers before it, like 1.2.0-rc.1/);
    expect(() => parseChartVersion('x'.repeat(1000))).toThrow(/^"x{60}…" is not a version/);
  });
});

describe('the order of versions', () => {
  const ascending = [
    '0.9.9',
    '1.0.0-1',
    '1.0.0-2',
    '1.0.0-10',
    '1.0.0-100000000000000000000', // over 64 bits: words to Helm
    '1.0.0-99999999999999999999',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-rc.2',
    '1.0.0-rc.10',
    '1.0.0',
    '1.0.1',
    'v1.2',
    '1.10.0',
    '9007199254740993.0.0', // one more than a JavaScript number can tell from its neighbour
    '9007199254740994.0.0',
    LARGEST,
  ].map(parseChartVersion);

  it('is that of semver, by value and not by text', () => {
    for (const [a, first] of ascending.entries()) {
      for (const [b, second] of ascending.entries()) {
        expect(Math.sign(compareVersions(first, second)), `${first} to ${second}`).toBe(Math.sign(a - b));
      }
    }
  });

  it.each([
    ['1', '1.0.0'],
    ['v1.2.3', '1.2.3'],
    ['01.2.3', '1.2.3'],
    ['1.0.0+a', '1.0.0+b'],
    ['1.0.0+a', '1.0.0'],
  ])('holds %s and %s for equal', (a, b) => {
    expect(compareVersions(parseChartVersion(a), parseChartVersion(b))).toBe(0);
  });

  it('agrees with the npm package semver wherever that package accepts both', () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        fc.pre(semver.valid(a) !== null && semver.valid(b) !== null);
        expect(Math.sign(compareVersions(a, b))).toBe(semver.compare(a, b));
      }),
    );
  });

  it('is a total order', () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) {
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  it('tells pre-releases from stable versions', () => {
    expect(['1.0.0-rc.1', 'v1.0.0-0+b'].map(parseChartVersion).map(isPrerelease)).toEqual([true, true]);
    expect(['1', '1.0.0+a-b'].map(parseChartVersion).map(isPrerelease)).toEqual([false, false]);
  });
});

describe('the version that a client means', () => {
  const here = ['2.0.0-rc.1', '1.3.0', '1.2.10', '1.2.9', 'v1.1.0', '0.2.0', '0.1.5', '0.1.0+b.2', '0.0.3'];
  const pick = (wanted: string, among: readonly string[] = here) =>
    selectVersion(among.map(parseChartVersion), wanted);

  it.each([
    ['latest', '1.3.0'],
    ['', '1.3.0'],
    ['1.3.0', '1.3.0'],
    ['2.0.0-rc.1', '2.0.0-rc.1'],
    ['1.1.0', 'v1.1.0'],
    ['v1.3', '1.3.0'],
    ['0.1.0', '0.1.0+b.2'],
    ['^0.1', '0.1.5'],
    ['^0.0.3', '0.0.3'],
    ['^0.0', '0.0.3'],
    ['^0', '0.2.0'],
    ['^1.2', '1.3.0'],
    ['0.x', '0.2.0'],
    ['1.2.X', '1.2.10'],
    ['*', '1.3.0'],
    ['>=1 <1.3', '1.2.10'],
    ['>=1, <1.3', '1.2.10'],
    ['>=1 , <1.3', '1.2.10'],
    ['~1.2.0', '1.2.10'],
    ['~> 1.2', '1.2.10'],
    ['~>1.2.9', '1.2.10'],
    ['<1 || 1.2.9', '1.2.9'],
    ['0.1 - 1.2.9', '1.2.9'],
    ['0.1||0.2 - 0.3', '1.3.0'], // Helm reads >=0.1 || 0.2, <=0.3
    ['1 - 1.2', '1.2.10'],
    ['!=1.x', '0.2.0'],
    ['!=1.3.0', '1.2.10'],
    ['!=1.3', '1.2.10'],
    ['>1.2', '1.3.0'], // 1.2.10 is within 1.2
    ['<=1.2', '1.2.10'],
    ['<=1', '1.3.0'],
    ['=<1.2.8', 'v1.1.0'],
    ['=>1.2.9', '1.3.0'],
    ['>1.3.0-0', '2.0.0-rc.1'],
    ['^2.0.0-0', '2.0.0-rc.1'],
    ['2.0.0-0 - 3', '2.0.0-rc.1'],
  ])('%j is %s', (wanted, found) => {
    expect(pick(wanted)).toBe(found);
  });

  it.each([['>=2'], ['9.9.9'], ['>1'], ['2.x'], ['^0.0.4'], ['>1.3.0 || 2.0.0']])(
    '%j matches none',
    (wanted) => {
      expect(pick(wanted)).toBeUndefined();
    },
  );

  it.each([
    ['notaversion'],
    ['1.2.3.4'],
    ['>='],
    ['1,,2'],
    ['1.x,'],
    ['||'],
    ['1x'],
    [`${' '.repeat(510)}1.x`],
    ['1||'.repeat(32) + 1],
  ])('%j is no range', (wanted) => {
    expect(() => pick(wanted)).toThrow(
      expect.objectContaining({ code: 'version_not_found', message: `improper constraint: ${wanted}` }),
    );
  });

  it('is nothing when only pre-releases exist and the latest is asked for', () => {
    expect(pick('latest', ['1.0.0-rc.1'])).toBeUndefined();
  });

  it('is the first of those that differ in build metadata alone', () => {
    expect(pick('1.x', ['1.0.0', '1.1.0+b', '1.1.0+a', '1.1.0'])).toBe('1.1.0+b');
  });

  it('is the text itself before any range', () => {
    expect(pick('1', ['1.9.0', '1'])).toBe('1');
  });

  it('is found by its own text, whatever else is there', () => {
    fc.assert(
      fc.property(fc.array(versions, { minLength: 1 }), fc.nat(), (all, index) => {
        const one: ChartVersion | undefined = all[index % all.length];
        expect(selectVersion(all, String(one))).toBe(one);
      }),
    );
  });

  it('is read in no time, however the text is built', () => {
    for (const text of ['1 ', '1, ', '1-', '1 - ', '1-1.', '||1', '1- ', '1.1.1-a+b ']) {
      const started = performance.now();
      const long = text.repeat(Math.floor(510 / text.length));
      for (const wanted of [long, `${long}!`]) {
        try {
          pick(wanted);
        } catch {
          // no range: only the time counts here
        }
      }
      expect(performance.now() - started).toBeLessThan(200);
    }
  });
});
