import type { ChartName } from './chart-name.ts';
import type { Digest } from './digest.ts';
import type { ListedVersion } from './index-file.ts';
import type { ChartVersion } from './version.ts';

/** What a version's item says of whether it was lost. */
type Known = {
  readonly version: ChartVersion;
  readonly live?: { readonly digest: Digest; readonly created: string };
  readonly unindexed?: string;
  readonly removed: boolean;
};

/**
 * Which versions that an index lists the table has lost.
 *
 * A deleted version has a tombstone until an index without it is current, so one without an item was lost:
 * a reservation or a waiting provenance file does not stand for it. And a change has a mark until an index
 * with it is current, so one that is unmarked and another than the listed one was set back.
 *
 * @param listed by the current index, or by one that was begun while it was current
 * @param items of the chart, read after that index was found current
 */
export function lostVersions(listed: readonly ListedVersion[], items: readonly Known[]): ListedVersion[] {
  const known = new Map(items.map((item) => [item.version, item]));
  return listed.filter(({ version, digest, created }) => {
    const { live, unindexed, removed = false } = known.get(version) ?? {};
    if (live === undefined) return !removed;
    return unindexed === undefined && (live.digest !== digest || live.created !== created);
  });
}

/**
 * The versions of a chart of which the table knows what became of them; a version that an index counts and does not
 * list was lost where there are too few of these.
 */
export function knownVersions(items: readonly Known[]): ReadonlySet<ChartVersion> {
  return new Set(items.flatMap(({ version, live, removed }) => (live || removed ? [version] : [])));
}

/** What is listed of some versions, by chart. */
export type ListedByChart = ReadonlyMap<ChartName, readonly ListedVersion[]>;

/** As text, to be kept beside an index. */
export function renderListed(lost: ListedByChart): string {
  const rows = [...lost].flatMap(([name, versions]) =>
    versions.map(({ version, digest, created, isDoubtful = false }) => [
      name,
      version,
      digest,
      created,
      isDoubtful,
    ]),
  );
  return JSON.stringify(rows);
}

type Row = [ChartName, ChartVersion, Digest, string, boolean];

/** Reads back what {@link renderListed} wrote. */
export function readListed(bytes: Uint8Array): ListedByChart {
  const rows = JSON.parse(Buffer.from(bytes).toString()) as Row[];
  const lost = new Map<ChartName, ListedVersion[]>();
  for (const [name, version, digest, created, isDoubtful] of rows) {
    const versions = lost.get(name) ?? [];
    lost.set(name, versions);
    versions.push({ version, digest, created, isDoubtful });
  }
  return lost;
}
