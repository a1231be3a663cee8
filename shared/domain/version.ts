import type { Branded } from './branded.ts';
import { Fault } from './fault.ts';
import { compareSemvers, parseSemver, type Semver } from './semver.ts';
import { matchesRange, parseSemverRange } from './semver-range.ts';

/** A version of a chart; see {@link parseChartVersion}. */
export type ChartVersion = Branded<'ChartVersion'>;

const MAX_LENGTH = 128;

// Helm reads "1-2.0.0" as pre-release "2.0.0" of 1. With the three numbers before the "-" or "+", no file name
// "<name>-<version>.tgz" has two readings.
const SUFFIX_NEEDS_THREE_NUMBERS = /^v?\d+(\.\d+)?[-+]/;

export function isChartVersion(text: string): text is ChartVersion {
  return complaintAbout(text) === undefined;
}

/**
 * A version: what Helm's loader accepts (`1`, `1.2`, `v1.2.3`, `01.2.3`, `1.2.3-rc.1+build.5`; numbers up to 64
 * bits), at most 128 characters, with all three numbers where a pre-release or build part follows.
 *
 * @throws Fault `invalid_version`
 */
export function parseChartVersion(text: string): ChartVersion {
  if (isChartVersion(text)) return text;
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  throw new Fault('invalid_version', `"${shown}" is not a version: ${complaintAbout(text)}`);
}

// The expression that semver.org suggests (its FAQ), as far as LOOSE of semver.ts does not say it already.
const STRICT = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)([-+]|$)/;

/** Whether a version follows semver.org to the letter, which Helm does not ask for. */
export const isStrictSemver = (version: ChartVersion): boolean => STRICT.test(version);

function complaintAbout(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return `use at most ${MAX_LENGTH} characters`;
  if (parseSemver(text) === undefined) {
    return 'use semantic versioning (https://semver.org), like 1.2.3 or 1.2.3-rc.1';
  }
  if (SUFFIX_NEEDS_THREE_NUMBERS.test(text)) {
    return 'a pre-release or build part needs three numbers before it, like 1.2.0-rc.1';
  }
  return undefined;
}

/** Ascending by Helm's precedence; build metadata does not count, so 0 does not mean the same version. */
export function compareVersions(a: ChartVersion, b: ChartVersion): number {
  return compareSemvers(semverOf(a), semverOf(b));
}

export function isPrerelease(version: ChartVersion): boolean {
  return semverOf(version).pre !== '';
}

/**
 * Finds the version that a client means, as ChartMuseum does: `latest` (or nothing) is the newest stable one; the
 * same text comes before any range; a range gives its newest match, pre-releases only if it names one.
 *
 * @param versions in any order; of those that differ only in build metadata the first counts as the newest
 * @returns undefined when none matches
 * @throws Fault `version_not_found` when `wanted` is neither a version that is here nor a range
 */
export function selectVersion(versions: readonly ChartVersion[], wanted: string): ChartVersion | undefined {
  if (wanted === 'latest' || wanted === '') return newest(versions.filter((one) => !isPrerelease(one)));
  const exact = versions.find((version) => version === wanted);
  if (exact !== undefined) return exact;
  const range = parseSemverRange(wanted);
  if (range === undefined) throw new Fault('version_not_found', `improper constraint: ${wanted}`);
  return newest(versions.filter((version) => matchesRange(semverOf(version), range)));
}

function newest(versions: readonly ChartVersion[]): ChartVersion | undefined {
  const [first, ...others] = versions;
  if (first === undefined) return undefined;
  return others.reduce((best, one) => (compareVersions(one, best) > 0 ? one : best), first);
}

function semverOf(version: ChartVersion): Semver {
  const semver = parseSemver(version);
  if (semver === undefined) throw new TypeError(`not a version: ${version}`);
  return semver;
}
