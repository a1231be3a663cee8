const ENTITY_TAG = /(?:W\/)?("[^"]*")/g;

/** The strong tag of the same answer in gzip, whose bytes are others. */
export function gzipTag(etag: string): string {
  return etag.replace(/"$/, '-gzip"');
}

/**
 * Which form of an answer an If-None-Match header names, plain or gzip, by weak comparison as RFC 9110,
 * 13.1.2 asks: then the client has what it would get.
 *
 * @param etag a strong tag with its quotes, of the plain form
 * @returns the tag of that form; undefined if the header names neither
 */
export function namedEntityTag(header: string | undefined, etag: string): string | undefined {
  if (header === undefined) return undefined;
  if (header.trim() === '*') return etag;
  const named = Array.from(header.matchAll(ENTITY_TAG), ([, tag]) => tag);
  return [etag, gzipTag(etag)].find((form) => named.includes(form));
}
