import type { ObjectFiles, StoredObject } from './s3-objects.ts';
import type { XmlContent } from './s3-xml.ts';

// Behind every key that goes on from a common prefix.
const LAST = '\u{10ffff}';

const isBehind = (key: string, after: string) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0;

const rowOf = ({ key, modified, etag, sizeBytes }: StoredObject) => ({
  Key: key,
  LastModified: modified,
  ETag: `"${etag}"`,
  Size: sizeBytes,
});

/** A page of keys in order, those with the delimiter behind the prefix rolled up. */
function readPage(files: ObjectFiles, query: URLSearchParams, after: string) {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const found: (StoredObject | string)[] = [];
  // A page never begins before the prefix, which a folder's own object has for its key.
  let last = isBehind(prefix, after) ? undefined : after;
  const nextObject = () => {
    const object = files.next(last ?? prefix, { behind: last !== undefined });
    return object?.key.startsWith(prefix) ? object : undefined;
  };
  let object = nextObject();
  while (object !== undefined && found.length < most) {
    const { key } = object;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const commonPrefix = key.slice(0, cut + delimiter.length);
    found.push(cut < 0 ? object : commonPrefix);
    last = cut < 0 ? key : commonPrefix + LAST;
    object = nextObject();
  }
  const next = object === undefined ? undefined : last;
  return { head: { Prefix: prefix, MaxKeys: most, IsTruncated: next !== undefined }, found, next };
}

/** ListObjectsV2. */
export function listObjects(files: ObjectFiles, query: URLSearchParams): readonly XmlContent[] {
  const token = query.get('continuation-token');
  const after = token === null ? query.get('start-after') : Buffer.from(token, 'base64url').toString();
  const { head, found, next } = readPage(files, query, after ?? '');
  const rows = found.map((one) =>
    typeof one === 'string' ? { CommonPrefixes: { Prefix: one } } : { Contents: rowOf(one) },
  );
  const nextToken = next && Buffer.from(next).toString('base64url');
  return [{ ...head, KeyCount: rows.length, NextContinuationToken: nextToken }, ...rows];
}

/** ListObjectVersions without a delimiter: the current version of each object, since others are not kept. */
export function listVersions(files: ObjectFiles, query: URLSearchParams): readonly XmlContent[] {
  const { head, found, next } = readPage(files, query, query.get('key-marker') ?? '');
  const objects = found.filter((one) => typeof one !== 'string');
  const rows = objects.map((one) => ({ Version: { ...rowOf(one), VersionId: one.blob, IsLatest: true } }));
  return [{ ...head, NextKeyMarker: next, NextVersionIdMarker: next && objects.at(-1)?.blob }, ...rows];
}
