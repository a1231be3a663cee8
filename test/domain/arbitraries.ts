import fc from 'fast-check';
import { type ChartName, isChartName } from '../../shared/domain/chart-name.ts';
import { type ChartVersion, isChartVersion } from '../../shared/domain/version.ts';

const word = (characters: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });

/** Chart names, many of them with parts that look like versions. */
export const names: fc.Arbitrary<ChartName> = fc
  .oneof(
    word('aZ0-._', 12),
    fc
      .array(fc.constantFrom('a', '-', '1', '.', 'v', '2.3', 'tgz', '-1.2'), { minLength: 1 })
      .map((all) => all.join('')),
  )
  .filter(isChartName);

const numbers = fc.oneof(fc.nat(3), fc.nat()).map(String);
const suffix = fc.option(
  fc.array(word('ab01-', 3), { minLength: 1, maxLength: 3 }).map((all) => all.join('.')),
);

/** Versions of every shape that Helm takes. */
export const versions: fc.Arbitrary<ChartVersion> = fc
  .tuple(fc.constantFrom('', 'v'), fc.array(numbers, { minLength: 1, maxLength: 3 }), suffix, suffix)
  .map(
    ([v, parts, pre, build]) =>
      `${v}${parts.join('.')}${pre === null ? '' : `-${pre}`}${build === null ? '' : `+${build}`}`,
  )
  .filter(isChartVersion);
