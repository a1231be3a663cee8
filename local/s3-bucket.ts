import { createHash, randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import type { Answer } from './aws.ts';
import type { Change } from './s3-events.ts';
import { listObjects, listVersions } from './s3-list.ts';
import type { ObjectFiles, StoredObject } from './s3-objects.ts';
import { checkPolicy, readPostForm } from './s3-post.ts';
import { readXml, xml } from './s3-xml.ts';
import { Refusal, type Secrets } from './sigv4.ts';

/** A request that is known to be allowed. */
export type S3Request = {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
};

export type BucketOptions = {
  readonly name: string;
  readonly files: ObjectFiles;
  readonly secrets: Secrets;
  /** Hears of each change, in the moment of it. */
  readonly changed: (change: Change) => void;
};

type Part = { readonly bytes: Buffer; readonly md5: string };
type Upload = Pick<StoredObject, 'key' | 'headers'> & { readonly parts: Map<string, Part> };

const MIN_PART_BYTES = 5 * 1024 * 1024;
const KEPT = /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.*)$/;

const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

const xmlAnswer = (...[name, ...content]: Parameters<typeof xml>): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: xml(name, ...content),
});

/** AWS's names of operations, by method, what a request is about, and what tells it from others. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'GET bucket list-type': 'ListObjectsV2',
  'GET bucket versions': 'ListObjectVersions',
  'POST bucket delete': 'DeleteObjects',
  'POST bucket': 'PostObject',
  'PUT object': 'PutObject',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'DELETE object': 'DeleteObject',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object uploadId': 'UploadPart',
  'PUT object x-amz-copy-source uploadId': 'UploadPartCopy',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
};
const MARKS = ['x-amz-copy-source', 'uploadId', 'uploads', 'delete', 'versions', 'list-type'];

export function operationOf({ method, key, query, headers }: Omit<S3Request, 'body'> & { method: string }) {
  const marks = MARKS.filter((mark) => query.has(mark) || headers.has(mark));
  return OPERATIONS[[method, key === '' ? 'bucket' : 'object', ...marks].join(' ')] ?? '';
}

/** The headers that are stored with an object and answered with it. */
function keptHeaders(headers: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const kept = [...headers].filter(([name]) => KEPT.test(name));
  return { 'content-type': 'binary/octet-stream', ...Object.fromEntries(kept) };
}

/** @returns the first and the last byte of a `Range`; the whole for none, or for several ranges, as S3 does */
function readRange(range: string | undefined, sizeBytes: number) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (from === undefined || to === undefined || from + to === '') {
    return { start: 0, end: sizeBytes - 1, partial: false };
  }
  const start = from === '' ? Math.max(0, sizeBytes - Number(to)) : Number(from);
  const end = from === '' || to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (start > end) throw new Refusal(416, 'InvalidRange', 'The requested range is not satisfiable');
  return { start, end, partial: true };
}

/**
 * The operations of one bucket with versioning. Of an object only the current version is kept: an overwrite and a
 * delete take the bytes at once, so there are neither noncurrent versions nor delete markers to list.
 */
export class Bucket {
  readonly name: string;
  readonly #options: BucketOptions;
  readonly #files: ObjectFiles;
  // Uploads in parts end with the process; their clients begin anew.
  readonly #uploads = new Map<string, Upload>();

  constructor(options: BucketOptions) {
    this.name = options.name;
    this.#options = options;
    this.#files = options.files;
  }

  /** By AWS's names for them. */
  readonly operations: Readonly<Record<string, (request: S3Request) => Promise<Answer>>> = {
    ListObjectsV2: async ({ query }) => xmlAnswer('ListBucketResult', ...listObjects(this.#files, query)),
    ListObjectVersions: async ({ query }) =>
      xmlAnswer('ListVersionsResult', ...listVersions(this.#files, query)),
    PutObject: async (request) =>
      this.#store(request, request.body, keptHeaders(request.headers), 'ObjectCreated:Put'),
    GetObject: async (request) => this.#read(request),
    HeadObject: async (request) => this.#read(request),
    DeleteObject: async ({ key, query }) => {
      const VersionId = query.get('versionId') ?? undefined;
      this.#remove(key, VersionId);
      return { status: 204, ...(VersionId && { headers: { 'x-amz-version-id': VersionId } }) };
    },
    DeleteObjects: async (request) => {
      const rows = readXml(request.body.toString(), 'Object');
      const deleted = rows.map((field) => ({ Key: field('Key') ?? '', VersionId: field('VersionId') }));
      for (const { Key, VersionId } of deleted) this.#remove(Key, VersionId);
      return xmlAnswer('DeleteResult', ...deleted.map((Deleted) => ({ Deleted })));
    },
    PostObject: (request) => this.#post(request),
    CreateMultipartUpload: async ({ key, headers }) => {
      const UploadId = randomUUID();
      this.#uploads.set(UploadId, { key, headers: keptHeaders(headers), parts: new Map() });
      return xmlAnswer('InitiateMultipartUploadResult', { Bucket: this.name, Key: key, UploadId });
    },
    UploadPart: async (request) => {
      const etag = this.#addPart(request, request.body);
      return { status: 200, headers: { etag } };
    },
    UploadPartCopy: async (request) => {
      const { headers } = request;
      const [, bucket, key = ''] = /^\/?([^/]+)\/(.+)$/.exec(headers.get('x-amz-copy-source') ?? '') ?? [];
      const source = this.#find(bucket === this.name ? decodeURIComponent(key) : '');
      const range = readRange(headers.get('x-amz-copy-source-range'), source.sizeBytes);
      const bytes = await buffer(this.#files.read(source, range));
      return xmlAnswer('CopyPartResult', { ETag: this.#addPart(request, bytes) });
    },
    CompleteMultipartUpload: async (request) => {
      const upload = this.#upload(request);
      const parts = chooseParts(upload, request.body.toString());
      const etag = `${md5Of(Buffer.concat(parts.map(({ md5 }) => Buffer.from(md5, 'hex'))))}-${parts.length}`;
      const bytes = Buffer.concat(parts.map((part) => part.bytes));
      const event = 'ObjectCreated:CompleteMultipartUpload';
      const { headers = {} } = this.#store(request, bytes, upload.headers, event, etag);
      this.#uploads.delete(request.query.get('uploadId') ?? '');
      const content = { Bucket: this.name, Key: request.key, ETag: `"${etag}"` };
      const answer = xmlAnswer('CompleteMultipartUploadResult', content);
      return { ...answer, headers: { ...headers, ...answer.headers } };
    },
    AbortMultipartUpload: async (request) => {
      this.#upload(request);
      this.#uploads.delete(request.query.get('uploadId') ?? '');
      return { status: 204 };
    },
  };

  /**
   * Makes bytes the object of a key, unless `If-None-Match: *` asks that there be none. Nothing waits in between,
   * so the condition cannot be overtaken. The event goes first: a process that ends here has not answered yet, and
   * an event without its object does less harm than an object without its event.
   */
  #store(
    { key, headers: sent }: Pick<S3Request, 'key' | 'headers'>,
    bytes: Buffer,
    headers: StoredObject['headers'],
    event: string,
    etag = md5Of(bytes),
  ): Answer {
    if (sent.get('if-none-match') === '*' && this.#files.get(key) !== undefined) {
      throw new Refusal(412, 'PreconditionFailed', 'A precondition did not hold');
    }
    this.#options.changed({ event, key, size: bytes.length, eTag: etag });
    const { blob } = this.#files.put({ key, etag, headers, bytes });
    return { status: 200, headers: { etag: `"${etag}"`, 'x-amz-version-id': blob } };
  }

  #find(key: string, versionId?: string | null): StoredObject {
    const object = this.#files.get(key);
    if (object !== undefined && (versionId ?? object.blob) === object.blob) return object;
    throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
  }

  #read({ key, headers, query }: S3Request): Answer {
    const object = this.#find(key, query.get('versionId'));
    const { start, end, partial } = readRange(headers.get('range'), object.sizeBytes);
    return {
      status: partial ? 206 : 200,
      headers: {
        ...object.headers,
        etag: `"${object.etag}"`,
        'x-amz-version-id': object.blob,
        'last-modified': new Date(object.modified).toUTCString(),
        'accept-ranges': 'bytes',
        'content-length': String(end - start + 1),
        ...(partial && { 'content-range': `bytes ${start}-${end}/${object.sizeBytes}` }),
      },
      bytes: () => this.#files.read(object, { start, end }),
    };
  }

  /** Puts a delete marker, or removes a version for good if it is there. */
  #remove(key: string, versionId: string | undefined): void {
    const object = this.#files.get(key);
    if (versionId === undefined) this.#options.changed({ event: 'ObjectRemoved:DeleteMarkerCreated', key });
    else if (versionId !== object?.blob) return;
    else this.#options.changed({ event: 'ObjectRemoved:Delete', key });
    if (object !== undefined) this.#files.delete(object);
  }

  async #post({ body, headers }: S3Request): Promise<Answer> {
    const { fields, file } = await readPostForm(body, headers.get('content-type') ?? '');
    checkPolicy(fields, file, this.name, this.#options.secrets);
    const form = { key: fields.get('key') ?? '', headers: fields };
    return { ...this.#store(form, file, keptHeaders(fields), 'ObjectCreated:Post'), status: 204 };
  }

  #upload({ query, key }: S3Request): Upload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload?.key === key) return upload;
    throw new Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
  }

  /** @returns the part's quoted etag */
  #addPart(request: S3Request, bytes: Buffer): string {
    const md5 = md5Of(bytes);
    this.#upload(request).parts.set(request.query.get('partNumber') ?? '', { bytes, md5 });
    return `"${md5}"`;
  }
}

/** The parts that a CompleteMultipartUpload lists, if they are the ones that were sent. */
function chooseParts(upload: Upload, list: string): readonly Part[] {
  return readXml(list, 'Part').map((field, index, { length }) => {
    const part = upload.parts.get(field('PartNumber') ?? '');
    if (part === undefined || part.md5 !== field('ETag')?.replaceAll('"', '')) {
      throw new Refusal(400, 'InvalidPart', `Part ${field('PartNumber')} is not there.`);
    }
    if (part.bytes.length < MIN_PART_BYTES && index < length - 1) {
      throw new Refusal(400, 'EntityTooSmall', `Part ${field('PartNumber')} is too small.`);
    }
    return part;
  });
}
