const ENTITY_TAG = /(?:W\/)?("[^"]*")/g;

/**
 * Whether an If-None-Match header names this tag, by weak comparison as RFC 9110, 13.1.2 asks: then the
 * client has what it would get.
 *
 * @param etag a strong tag with its quotes
 */
export function matchesEntityTag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === '*') return true;
  return Array.from(header.matchAll(ENTITY_TAG), ([, tag]) => tag).includes(etag);
}
