import type { ObjectFiles } from './s3-objects.ts';
import type { XmlContent } from './s3-xml.ts';
import { Refusal } from './sigv4.ts';

/** How far a listing came; a common prefix stands for every key that begins with it. */
type Position = { readonly after: string; readonly wholePrefix: boolean };

function readStart(query: URLSearchParams): Position | undefined {
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  if (token === null) return startAfter === null ? undefined : { after: startAfter, wholePrefix: false };
  try {
    return JSON.parse(Buffer.from(token, 'base64url').toString()) as Position;
  } catch {
    throw new Refusal(400, 'InvalidArgument', 'The continuation token provided is incorrect');
  }
}

const isBehind = (key: string, { after, wholePrefix }: Position) =>
  Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0 && !(wholePrefix && key.startsWith(after));

/** ListObjectsV2: keys in order, those with the delimiter behind the prefix rolled up, page by page. */
export function listObjects(files: ObjectFiles, query: URLSearchParams): readonly XmlContent[] {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const rows: XmlContent[] = [];
  let position = readStart(query);
  let truncated = false;
  for (const key of files.keys()) {
    if (!key.startsWith(prefix) || (position !== undefined && !isBehind(key, position))) continue;
    truncated = rows.length >= most && most > 0;
    if (rows.length >= most) break;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    position = { after: cut < 0 ? key : key.slice(0, cut + delimiter.length), wholePrefix: cut >= 0 };
    rows.push(cut < 0 ? { Contents: contents(files, key) } : { CommonPrefixes: { Prefix: position.after } });
  }
  const next = truncated ? Buffer.from(JSON.stringify(position)).toString('base64url') : undefined;
  const head = { Prefix: prefix, KeyCount: rows.length, MaxKeys: most, IsTruncated: truncated };
  return [{ ...head, NextContinuationToken: next }, ...rows];
}

function contents(files: ObjectFiles, key: string): XmlContent {
  const { modified, etag, sizeBytes } = files.get(key) ?? {};
  return { Key: key, LastModified: modified, ETag: `"${etag}"`, Size: sizeBytes, StorageClass: 'STANDARD' };
}

/** ListObjectVersions: every object has one version here, the current one, called by its file's name. */
export function listVersions(files: ObjectFiles, query: URLSearchParams): readonly XmlContent[] {
  const prefix = query.get('prefix') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const marker = query.get('key-marker');
  const keys = files
    .keys()
    .filter(
      (key) => key.startsWith(prefix) && (!marker || isBehind(key, { after: marker, wholePrefix: false })),
    );
  const page = keys.slice(0, most);
  const truncated = keys.length > page.length;
  const next = truncated ? page.at(-1) : undefined;
  const head = { Prefix: prefix, MaxKeys: most, IsTruncated: truncated, NextKeyMarker: next };
  return [
    { ...head, NextVersionIdMarker: next && files.get(next)?.blob },
    ...page.map((key) => ({
      Version: { ...contents(files, key), VersionId: files.get(key)?.blob, IsLatest: true },
    })),
  ];
}
