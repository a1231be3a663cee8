import type { Branded } from './branded.ts';
import { Fault } from './fault.ts';

/** A repository's path: zero to three segments joined by `/`; the root repository is the empty text. */
export type Repository = Branded<'Repository'>;

// No '/', '#' or leading '-': a segment cannot step out of its S3 prefix, its sort key or meet the '/-/' of keys.
const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Words that stand after a repository in a path; a segment so called would give a URL two readings. */
const RESERVED_ANYWHERE = new Set(['charts', 'prov', 'uploads', 'index.yaml', 'artifacthub-repo.yml']);

/** First parts of Chartroom's and Harbor's own paths. */
const RESERVED_FIRST = new Set([
  'api',
  'chartrepo',
  'health',
  'info',
  'labels',
  'metrics',
  'projects',
  'static',
  'users',
  'v2',
  'v2.0',
]);

/**
 * Makes a repository of the segments of a path, outermost first.
 *
 * @throws Fault `invalid_repository` that names the segment and what is wrong with it
 */
export function parseRepository(segments: readonly string[]): Repository {
  if (segments.length > 3) {
    throw new Fault('invalid_repository', `a repository has at most 3 segments, not ${segments.length}`);
  }
  for (const [position, segment] of segments.entries()) {
    if (!SEGMENT.test(segment)) {
      throw new Fault(
        'invalid_repository',
        `"${segment}" cannot be part of a repository's path: use letters, digits, ".", "_" and "-", at most 128, beginning with a letter or digit`,
      );
    }
    if (RESERVED_ANYWHERE.has(segment) || (position === 0 && RESERVED_FIRST.has(segment))) {
      throw new Fault('invalid_repository', `"${segment}" is reserved and cannot name a repository`);
    }
  }
  return segments.join('/') as Repository;
}

/** The repository of these segments, outermost first; undefined for what cannot be one. */
export function asRepository(segments: readonly string[]): Repository | undefined {
  try {
    return parseRepository(segments);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
