/**
 * A version as Helm compares it. The numbers are decimal text without leading zeros: they reach 2^64 - 1,
 * which a JavaScript number cannot hold.
 */
export type Semver = {
  readonly major: string;
  readonly minor: string;
  readonly patch: string;
  /** The pre-release part without its `-`; empty for a stable version. */
  readonly pre: string;
};

// looseSemVerRegex in version.go of github.com/Masterminds/semver, which Helm's loader uses.
const LOOSE =
  /^v?(?<major>\d+)(?:\.(?<minor>\d+))?(?:\.(?<patch>\d+))?(?:-(?<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

const LARGEST = '18446744073709551615'; // 2^64 - 1: Go reads each number as uint64

/** Reads what Helm's loader takes for a version (`1`, `v1.2` and `01.2.3` too); undefined for anything else. */
export function parseSemver(text: string): Semver | undefined {
  const parts = LOOSE.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const [major, minor, patch] = [parts['major'], parts['minor'], parts['patch']].map(withoutZeros);
  if (major === undefined || minor === undefined || patch === undefined) return undefined;
  if ([major, minor, patch].some((number) => compareNumbers(number, LARGEST) > 0)) return undefined;
  const pre = parts['pre'] ?? '';
  if (pre.split('.').some((part) => /^0\d+$/.test(part))) return undefined;
  return { major, minor, patch, pre };
}

/** Ascending by precedence; build metadata does not count, so 0 does not mean the same text. */
export function compareSemvers(a: Semver, b: Semver): number {
  return (
    compareNumbers(a.major, b.major) ||
    compareNumbers(a.minor, b.minor) ||
    compareNumbers(a.patch, b.patch) ||
    comparePrereleases(a.pre, b.pre)
  );
}

/** Orders decimal texts without leading zeros by value. */
export function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareTexts(a, b);
}

/** A stable version comes after all its pre-releases. */
export function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  const theirs = b.split('.');
  for (const [index, mine] of a.split('.').entries()) {
    const other = theirs[index];
    if (other === undefined) return 1;
    const order = comparePrereleaseParts(mine, other);
    if (order !== 0) return order;
  }
  return -1;
}

// Numbers come before words. A number over 64 bits is a word to Helm, since strconv.ParseUint fails on it.
function comparePrereleaseParts(a: string, b: string): number {
  const [aIsNumber, bIsNumber] = [isNumber(a), isNumber(b)];
  if (aIsNumber && bIsNumber) return compareNumbers(a, b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return compareTexts(a, b);
}

function isNumber(part: string): boolean {
  return /^\d+$/.test(part) && compareNumbers(part, LARGEST) <= 0;
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function withoutZeros(digits: string | undefined): string {
  return (digits ?? '0').replace(/^0+(?=\d)/, '');
}
