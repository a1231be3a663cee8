import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isChartName, parseChartName } from '../../shared/domain/chart-name.ts';
import { packageFileName, parsePackageFileName } from '../../shared/domain/package-file.ts';
import { isChartVersion, parseChartVersion } from '../../shared/domain/version.ts';
import { names, versions } from './arbitraries.ts';

describe('the name of a package file', () => {
  it.each([
    ['redis-1.2.3.tgz', 'redis', '1.2.3', 'package'],
    ['redis-1.2.3.tgz.prov', 'redis', '1.2.3', 'provenance'],
    ['cert-manager-v1.9.1.tgz', 'cert-manager', 'v1.9.1', 'package'],
    ['a-1-2.tgz', 'a-1', '2', 'package'],
    ['a-1.2-3.0.0-x.tgz', 'a-1.2', '3.0.0-x', 'package'],
    ['a-1.0.0-2.0.0.tgz', 'a', '1.0.0-2.0.0', 'package'],
    ['a--1.0.0.tgz', 'a-', '1.0.0', 'package'],
    ['-a-1.tgz', '-a', '1', 'package'],
    ['x-1.0.0+b.1.tgz', 'x', '1.0.0+b.1', 'package'],
    ['__proto__-1.0.0.tgz', '__proto__', '1.0.0', 'package'],
    ['x.tgz-1.0.0.tgz', 'x.tgz', '1.0.0', 'package'],
    ['x-1.0.0-a.tgz.tgz', 'x', '1.0.0-a.tgz', 'package'],
  ])('%s is read', (file, name, version, kind) => {
    expect(parsePackageFileName(file)).toEqual({ name, version, kind });
    const rendered = packageFileName(parseChartName(name), parseChartVersion(version));
    expect(rendered).toBe(file.replace(/\.prov$/, ''));
  });

  it.each([
    [''],
    ['.tgz'],
    ['redis.tgz'],
    ['redis-.tgz'],
    ['-1.0.0.tgz'],
    ['redis-1.0.0.TGZ'],
    ['redis-1.0.0.tgz.asc'],
    ['redis-1.0.0'],
    ['redis-1.0.0.prov'],
    ['index.yaml'],
    ['charts-1.0.0.tgz'],
    ['a/b-1.0.0.tgz'],
    ['a b-1.0.0.tgz'],
    ['redis-1.0.0.tgz\n'],
  ])('%j is none', (file) => {
    expect(parsePackageFileName(file)).toBeUndefined();
  });

  it('says what it was made of', () => {
    fc.assert(
      fc.property(names, versions, (name, version) => {
        const file = packageFileName(name, version);
        expect(parsePackageFileName(file)).toEqual({ name, version, kind: 'package' });
        expect(parsePackageFileName(`${file}.prov`)).toEqual({ name, version, kind: 'provenance' });
      }),
      { numRuns: 1000 },
    );
  });

  it('has one reading', () => {
    fc.assert(
      fc.property(names, versions, (name, version) => {
        const stem = `${name}-${version}`;
        const readings = [...stem.matchAll(/-/g)].filter(
          ({ index }) => isChartName(stem.slice(0, index)) && isChartVersion(stem.slice(index + 1)),
        );
        expect(readings).toHaveLength(1);
      }),
      { numRuns: 1000 },
    );
  });
});
