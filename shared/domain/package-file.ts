import { type ChartName, isChartName } from './chart-name.ts';
import { type ChartVersion, isChartVersion } from './version.ts';

/** What a file below `charts/` is called: a package, or the provenance of one. */
export type PackageFile = {
  readonly name: ChartName;
  readonly version: ChartVersion;
  readonly kind: 'package' | 'provenance';
};

export function packageFileName(name: ChartName, version: ChartVersion): string {
  return `${name}-${version}.tgz`;
}

/**
 * Reads `<name>-<version>.tgz` or `<name>-<version>.tgz.prov`; undefined for any other text.
 *
 * The rules on names and versions leave one reading at most: a name holds no `-N.N.N`, and a version needs `N.N.N`
 * before any further `-`.
 */
export function parsePackageFileName(file: string): PackageFile | undefined {
  const [, stem, suffix] = /^(.*)\.tgz(\.prov)?$/s.exec(file) ?? [];
  if (stem === undefined) return undefined;
  const kind = suffix === undefined ? 'package' : 'provenance';
  for (let dash = stem.indexOf('-'); dash !== -1; dash = stem.indexOf('-', dash + 1)) {
    const [name, version] = [stem.slice(0, dash), stem.slice(dash + 1)];
    if (isChartName(name) && isChartVersion(version)) return { name, version, kind };
  }
  return undefined;
}
