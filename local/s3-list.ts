import type { ObjectFiles } from './s3-objects.ts';
import { Refusal } from './sigv4.ts';

export const xmlEscape = (text: string) =>
  text.replace(/[&<>"\p{Cc}]/gu, (character) => `&#${character.charCodeAt(0)};`);

/** How far a listing came; a common prefix stands for every key that begins with it. */
type Position = { readonly after: string; readonly wholePrefix: boolean };

const writeToken = (position: Position) => Buffer.from(JSON.stringify(position)).toString('base64url');

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
export function listObjects(files: ObjectFiles, bucket: string, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const show = query.get('encoding-type') === 'url' ? encodeURIComponent : xmlEscape;
  const rows: string[] = [];
  let position = readStart(query);
  let truncated = false;
  for (const key of files.keys()) {
    if (!key.startsWith(prefix) || (position !== undefined && !isBehind(key, position))) continue;
    if (rows.length >= most) {
      truncated = most > 0;
      break;
    }
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    position =
      cut < 0
        ? { after: key, wholePrefix: false }
        : { after: key.slice(0, cut + delimiter.length), wholePrefix: true };
    if (cut >= 0) rows.push(`<CommonPrefixes><Prefix>${show(position.after)}</Prefix></CommonPrefixes>`);
    else rows.push(contents(files, key, show(key)));
  }
  const next =
    truncated && position ? `<NextContinuationToken>${writeToken(position)}</NextContinuationToken>` : '';
  return `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${bucket}</Name><Prefix>${show(prefix)}</Prefix><KeyCount>${rows.length}</KeyCount><MaxKeys>${most}</MaxKeys><IsTruncated>${truncated}</IsTruncated>${next}${rows.join('')}</ListBucketResult>`;
}

function contents(files: ObjectFiles, key: string, shown: string): string {
  const object = files.get(key);
  return `<Contents><Key>${shown}</Key><LastModified>${object?.modified}</LastModified><ETag>&quot;${object?.etag}&quot;</ETag><Size>${object?.sizeBytes}</Size><StorageClass>STANDARD</StorageClass></Contents>`;
}
