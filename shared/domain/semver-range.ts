import { compareNumbers, comparePrereleases, compareSemvers, parseSemver, type Semver } from './semver.ts';

/**
 * Ranges of versions in the syntax and with the meaning of github.com/Masterminds/semver (constraints.go), which
 * is what Helm and ChartMuseum use. The npm package `semver` differs in too much to stand in for it: `>11` and
 * `<=1.2` mean something else there, pre-releases are let in by another rule, and numbers end at 2^53.
 */
export type SemverRange = {
  /** Alternatives (`||`), each a list of constraints that must all hold. */
  readonly anyOf: readonly (readonly Constraint[])[];
};

type Constraint = {
  readonly operator: string;
  readonly bound: Semver;
  /** The first part of the bound that is a wildcard or missing. */
  readonly wildcard: 'major' | 'minor' | 'patch' | undefined;
};

const MAX_LENGTH = 512; // MaxConstraintLen
const MAX_ALTERNATIVES = 32; // MaxConstraintGroups

const NUMBER = '[0-9xX*]+';
const BOUND = `v?${NUMBER}(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
// To rewriteRange a "|" is part of a number, so of "1||2 - 3" it makes ">= 1||2, <= 3".
const RANGE_END = BOUND.replaceAll(NUMBER, '[0-9xX*|]+');
const HYPHEN_RANGE = new RegExp(` ?(${RANGE_END}) - (${RANGE_END}) ?`, 'g');
// One constraint after another, each tried at one place only: no text can make this backtrack for long.
const NEXT = new RegExp(` ?(!=|>=|=>|<=|=<|~>|=|>|<|~|\\^)? ?(${BOUND})( ?, ?| |$)`, 'y');

/** Reads a range; undefined when it is none. */
export function parseSemverRange(text: string): SemverRange | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const alternatives = text
    .replace(/[\t\n\f\r ]+/g, ' ')
    .replace(HYPHEN_RANGE, '>= $1, <= $2 ')
    .split('||');
  if (alternatives.length > MAX_ALTERNATIVES) return undefined;
  const anyOf: (readonly Constraint[])[] = [];
  for (const alternative of alternatives) {
    const constraints = parseAlternative(alternative);
    if (constraints === undefined) return undefined;
    anyOf.push(constraints);
  }
  return { anyOf };
}

function parseAlternative(text: string): Constraint[] | undefined {
  const constraints: Constraint[] = [];
  NEXT.lastIndex = 0;
  let separator = ',';
  while (NEXT.lastIndex < text.length) {
    const found = NEXT.exec(text);
    const constraint = found === null ? undefined : parseConstraint(found[1] ?? '', found[2] ?? '');
    if (constraint === undefined) return undefined;
    constraints.push(constraint);
    separator = found?.[3] ?? '';
  }
  return constraints.length > 0 && !separator.includes(',') ? constraints : undefined;
}

function parseConstraint(operator: string, text: string): Constraint | undefined {
  const bare = text.replace(/^v/, '');
  const end = bare.search(/[-+]/);
  const [major, minor, patch] = (end === -1 ? bare : bare.slice(0, end)).split('.');
  const pre = /^[^+]*?(-[^+]*)/.exec(bare)?.[1] ?? '';
  if (isWildcard(major)) return constraint(operator, `0.0.0${pre}`, 'major');
  if (isWildcard(minor)) return constraint(operator, `${major}.0.0${pre}`, 'minor');
  if (isWildcard(patch)) return constraint(operator, `${major}.${minor}.0${pre}`, 'patch');
  return constraint(operator, text, undefined);
}

function constraint(operator: string, bound: string, wildcard: Constraint['wildcard']) {
  const parsed = parseSemver(bound); // refuses what mixes digits and wildcards, like "1x"
  return parsed === undefined ? undefined : { operator, bound: parsed, wildcard };
}

function isWildcard(part: string | undefined): boolean {
  return part === undefined || part === '' || part === 'x' || part === 'X' || part === '*';
}

/** A pre-release only matches alternatives that name a pre-release themselves. */
export function matchesRange(version: Semver, range: SemverRange): boolean {
  return range.anyOf.some((constraints) => {
    if (version.pre !== '' && constraints.every(({ bound }) => bound.pre === '')) return false;
    return constraints.every((one) => holds(version, one));
  });
}

function holds(version: Semver, one: Constraint): boolean {
  const { operator, bound, wildcard } = one;
  switch (operator) {
    case '!=':
      return differs(version, one);
    case '>':
      return isGreater(version, one);
    case '<':
      return compareSemvers(version, bound) < 0;
    case '>=':
    case '=>':
      return compareSemvers(version, bound) >= 0;
    case '<=':
    case '=<':
      return isAtMost(version, one);
    case '~':
    case '~>':
      return isNear(version, one);
    case '^':
      return isCompatible(version, one);
    default: // '=' and no operator
      return wildcard === undefined ? compareSemvers(version, bound) === 0 : isNear(version, one);
  }
}

/** constraintNotEqual: `!=1.x` is everything outside 1. */
function differs(version: Semver, { bound, wildcard }: Constraint): boolean {
  if (wildcard === undefined || wildcard === 'major') return compareSemvers(version, bound) !== 0;
  if (bound.major !== version.major) return true;
  if (wildcard === 'minor') return false;
  if (bound.minor !== version.minor) return true;
  return comparePrereleases(version.pre, bound.pre) !== 0;
}

/** constraintGreaterThan: `>11` begins at 12, `>11.1` at 11.2. */
function isGreater(version: Semver, { bound, wildcard }: Constraint): boolean {
  if (wildcard === undefined || wildcard === 'major') return compareSemvers(version, bound) > 0;
  const major = compareNumbers(version.major, bound.major);
  if (major !== 0) return major > 0;
  return wildcard === 'patch' && compareNumbers(version.minor, bound.minor) > 0;
}

/** constraintLessThanEqual: `<=11` holds all of 11. */
function isAtMost(version: Semver, { bound, wildcard }: Constraint): boolean {
  if (wildcard === undefined) return compareSemvers(version, bound) <= 0;
  const major = compareNumbers(version.major, bound.major);
  if (major !== 0) return major < 0;
  return wildcard === 'minor' || compareNumbers(version.minor, bound.minor) <= 0;
}

/** constraintTilde: `~1` is 1.x, `~1.2` and `~1.2.3` stay within 1.2; `~0.0.0` and `*` are any version. */
function isNear(version: Semver, { bound, wildcard }: Constraint): boolean {
  if (compareSemvers(version, bound) < 0) return false;
  const zero = bound.major === '0' && bound.minor === '0' && bound.patch === '0';
  if (zero && wildcard !== 'minor' && wildcard !== 'patch') return true;
  if (version.major !== bound.major) return false;
  return wildcard === 'minor' || version.minor === bound.minor;
}

/** constraintCaret: the leftmost number that is not zero stays. */
function isCompatible(version: Semver, { bound, wildcard }: Constraint): boolean {
  if (compareSemvers(version, bound) < 0) return false;
  if (version.major !== bound.major) return false;
  if (bound.major !== '0' || wildcard === 'minor') return true;
  if (version.minor !== bound.minor) return false;
  return bound.minor !== '0' || wildcard === 'patch' || version.patch === bound.patch;
}
