import type { ChartName } from './chart-name.ts';
import { Fault } from './fault.ts';
import type { ListedVersion } from './index-file.ts';

/** A version as the index lists it, with what Harbor tells of its chart. */
type Listed = ListedVersion & {
  readonly icon?: string;
  readonly home?: string;
  readonly deprecated?: boolean;
};

/**
 * A chart as Harbor lists it.
 *
 * @param newest its version that is highest by Helm's rules, pre-releases included
 * @param versions those that the index lists, in any order
 * @param total how many it has, those too that the index does not list
 */
export function chartInfo(name: ChartName, newest: Listed, versions: readonly Listed[], total: number) {
  // RFC 3339 in UTC with milliseconds: the order of the texts is that of the instants.
  const instants = versions.map(({ created }) => created).toSorted();
  const { version, created, icon = '', home = '', deprecated = false } = newest;
  return {
    name,
    total_versions: total,
    latest_version: version,
    created: instants.at(0) ?? created,
    updated: instants.at(-1) ?? created,
    icon,
    home,
    deprecated,
  };
}

/**
 * A version as Harbor shows it among those of its chart.
 *
 * @param entry as the index has it
 * @param labels as Harbor shows them
 */
export const labelledEntry = (entry: string, labels: readonly object[]): string =>
  `${entry.slice(0, -1)},"labels":${JSON.stringify(labels)}}`;

export type VersionDetails = {
  /** As the index has it. */
  readonly entry: string;
  /** What values.yaml says; undefined where there is none. */
  readonly values: unknown;
  /** Texts by file name. */
  readonly files: Readonly<Record<string, string>>;
  readonly signed: boolean;
  /** As Harbor shows them. */
  readonly labels: readonly object[];
};

/**
 * A version as Harbor shows it by itself, in JSON.
 *
 * @param most how many characters the names of all values may have
 * @throws Fault `too_large`
 */
export function renderDetails(
  { entry, values, files, signed, labels }: VersionDetails,
  most: number,
): string {
  const { dependencies = [], urls = [] } = JSON.parse(entry) as {
    readonly dependencies?: readonly object[];
    readonly urls?: readonly string[];
  };
  const others = {
    dependencies,
    values: flatValues(values, most),
    files,
    security: { signature: { signed, prov_file: signed ? `${urls[0]}.prov` : '' } },
    labels,
  };
  return `{"metadata":${entry},${JSON.stringify(others).slice(1)}`;
}

/**
 * The values with the names of nested ones joined by dots; lists are values, and what is empty is left out.
 *
 * @throws Fault `too_large`: a long name counts once in the file, and here for each value below it
 */
function flatValues(values: unknown, most: number): Readonly<Record<string, unknown>> {
  let left = most;
  const flat = (value: unknown, path: readonly string[]): (readonly [string, unknown])[] => {
    if (isObject(value)) return Object.entries(value).flatMap(([key, each]) => flat(each, [...path, key]));
    left -= path.reduce((sum, { length }) => sum + length + 1, 0);
    if (left < 0)
      throw new Fault('too_large', 'the values are larger than an answer can be: get the package');
    return [[path.join('.'), value]];
  };
  // Not by assigning: a value may be called __proto__.
  return isObject(values) ? Object.fromEntries(flat(values, [])) : {};
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
