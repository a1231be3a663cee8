import type { ChartName } from './chart-name.ts';
import type { Digest } from './digest.ts';
import { packageFileName } from './package-file.ts';
import type { Repository } from './repository.ts';
import { type ChartVersion, compareVersions } from './version.ts';

/** What changes the bytes of an index, apart from what is published. */
export type IndexSettings = {
  /** JSON is YAML, and Helm reads it several times faster (docs/decisions/json-index.md). */
  readonly format: 'json' | 'yaml';
  /** Absolute address that `urls` begin with; empty for relative ones, which keep Helm's credentials. */
  readonly chartUrl: string;
  /** Path prefix before the repository; `helm cm-push` builds its upload URL from it. */
  readonly contextPath: string;
};

/** A short text that differs when the settings do: an index rendered with other settings is stale. */
export function settingsFingerprint({ format, chartUrl, contextPath }: IndexSettings): string {
  return JSON.stringify([format, chartUrl, contextPath]);
}

/** A version that readers see. */
export type LiveVersion = {
  readonly name: ChartName;
  readonly version: ChartVersion;
  /** JSON text of the version's metadata, without `urls`, `created` and `digest`. */
  readonly entry: string;
  readonly digest: Digest;
  /** RFC 3339 in UTC. */
  readonly created: string;
};

/** Whose index `urls` are relative to: that of the repository, or that of the chart alone, which lies below `charts/`. */
export type IndexOf = 'repository' | 'chart';

/**
 * Renders the JSON object that describes one version in the index and in the API.
 *
 * @returns one line; keys in ChartMuseum's order (docs/api.md, "A version")
 */
export function renderEntry(
  live: LiveVersion,
  settings: IndexSettings,
  repository: Repository,
  of: IndexOf = 'repository',
): string {
  const folder =
    of === 'chart' && settings.chartUrl === '' ? '../' : `${urlPrefix(settings, repository)}charts/`;
  const url = `${folder}${packageFileName(live.name, live.version)}`;
  const rest = `"urls":[${JSON.stringify(url)}],"created":"${live.created}","digest":"${live.digest}"}`;
  // Chart.yaml always gives at least a name and a version, so there is a key before the comma.
  return `${live.entry.slice(0, -1)},${rest}`;
}

function urlPrefix({ chartUrl, contextPath }: IndexSettings, repository: Repository): string {
  if (chartUrl === '') return '';
  return `${chartUrl.replace(/\/+$/, '')}${contextPath}/${repository === '' ? '' : `${repository}/`}`;
}

/**
 * Order of a chart's versions: newest first by Helm's rules; of versions that differ only in build
 * metadata the one created last comes first, then text decides, so that the order never depends on chance.
 */
export function newestFirst(
  a: Pick<LiveVersion, 'version' | 'created'>,
  b: Pick<LiveVersion, 'version' | 'created'>,
): number {
  return (
    compareVersions(b.version, a.version) ||
    compareText(b.created, a.created) ||
    compareText(a.version, b.version)
  );
}

/** Compares by UTF-16 code units, which for the alphabets of names, versions and instants is byte order. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
