import { createHash, randomUUID } from 'node:crypto';
import { toPut } from './acts.ts';
import type { Answer } from './dynamodb.ts';
import type { Roles } from './roles.ts';
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
  readonly may: Roles;
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

type Operation = readonly [name: string, run: (request: S3Request) => Answer | Promise<Answer>];

// What tells operations of one method apart, in the query or among the headers.
const MARKS = ['x-amz-copy-source', 'uploadId', 'uploads', 'delete', 'versions', 'list-type'];

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

  /** Operations with AWS's names for them, by method, what a request is about, and its marks. */
  readonly #operations: Readonly<Record<string, Operation>> = {
    'PUT object': ['PutObject', (request) => this.#put(request)],
    'PUT object x-amz-copy-source': ['CopyObject', (request) => this.#copy(request)],
    'HEAD object': ['HeadObject', (request) => this.#head(request).answer],
    'GET object': ['GetObject', (request) => this.#get(request)],
    'DELETE object': ['DeleteObject', (request) => this.#delete(request)],
    'POST bucket delete': ['DeleteObjects', (request) => this.#deleteMany(request)],
    'POST bucket': ['PostObject', (request) => this.#post(request)],
    'GET bucket list-type': [
      'ListObjectsV2',
      ({ query }) => xmlAnswer('ListBucketResult', ...listObjects(this.#files, query)),
    ],
    'GET bucket versions': [
      'ListObjectVersions',
      ({ query }) => xmlAnswer('ListVersionsResult', ...listVersions(this.#files, query)),
    ],
    'POST object uploads': ['CreateMultipartUpload', (request) => this.#begin(request)],
    'PUT object uploadId': ['UploadPart', (request) => this.#addPart(request, request.body)],
    'PUT object x-amz-copy-source uploadId': ['UploadPartCopy', (request) => this.#copyPart(request)],
    'POST object uploadId': ['CompleteMultipartUpload', (request) => this.#complete(request)],
    'DELETE object uploadId': ['AbortMultipartUpload', (request) => this.#abort(request)],
  };

  /** @returns nothing for what is not imitated */
  operation(method: string, { key, query, headers }: S3Request): Operation | undefined {
    const marks = MARKS.filter((mark) => query.has(mark) || headers.has(mark));
    return this.#operations[[method, key === '' ? 'bucket' : 'object', ...marks].join(' ')];
  }

  #put(request: S3Request): Answer {
    return this.#store(request, request.body, keptHeaders(request.headers), 'ObjectCreated:Put');
  }

  #get(request: S3Request): Answer {
    const { object, start, end, answer } = this.#head(request);
    return { ...answer, body: this.#files.read(object).subarray(start, end + 1) };
  }

  #delete({ key, query }: S3Request): Answer {
    const version = query.get('versionId') ?? undefined;
    this.#remove(key, version);
    return { status: 204, ...(version && { headers: { 'x-amz-version-id': version } }) };
  }

  #deleteMany({ body }: S3Request): Answer {
    const rows = readXml(body.toString(), 'Object');
    const deleted = rows.map((field) => ({ Key: field('Key') ?? '', VersionId: field('VersionId') }));
    for (const { Key, VersionId } of deleted) this.#remove(Key, VersionId);
    return xmlAnswer('DeleteResult', ...deleted.map((Deleted) => ({ Deleted })));
  }

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
    const { blob } = this.#files.store({ key, etag, headers }, bytes);
    return { status: 200, headers: { etag: `"${etag}"`, 'x-amz-version-id': blob } };
  }

  #find(key: string, versionId?: string | null): StoredObject {
    const object = this.#files.get(key);
    if (object !== undefined && (versionId ?? object.blob) === object.blob) return object;
    throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
  }

  /** What is answered with an object's bytes from `start` to `end`, both included. */
  #head({ key, headers, query }: S3Request) {
    const object = this.#find(key, query.get('versionId'));
    const { start, end, partial } = readRange(headers.get('range'), object.sizeBytes);
    const answer: Answer = {
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
    };
    return { object, start, end, answer };
  }

  /** Puts a delete marker, or removes a version for good if it is there. */
  #remove(key: string, versionId: string | undefined): void {
    const object = this.#files.get(key);
    if (versionId === undefined) this.#options.changed({ event: 'ObjectRemoved:DeleteMarkerCreated', key });
    else if (versionId !== object?.blob) return;
    else this.#options.changed({ event: 'ObjectRemoved:Delete', key });
    this.#files.delete(key);
  }

  async #post({ body, headers }: S3Request): Promise<Answer> {
    const { fields, file } = await readPostForm(body, headers.get('content-type') ?? '');
    const signer = checkPolicy(fields, file, this.name, this.#options.secrets);
    const form = { key: fields.get('key') ?? '', headers: fields };
    if (!this.#options.may(signer, toPut(this.name, form.key))) {
      throw new Refusal(403, 'AccessDenied', `${signer} may not put ${form.key}`);
    }
    return { ...this.#store(form, file, keptHeaders(fields), 'ObjectCreated:Post'), status: 204 };
  }

  #begin({ key, headers }: S3Request): Answer {
    const UploadId = randomUUID();
    this.#uploads.set(UploadId, { key, headers: keptHeaders(headers), parts: new Map() });
    return xmlAnswer('InitiateMultipartUploadResult', { Bucket: this.name, Key: key, UploadId });
  }

  #upload({ query, key }: S3Request): Upload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload?.key === key) return upload;
    throw new Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
  }

  #addPart(request: S3Request, bytes: Buffer): Answer {
    const md5 = md5Of(bytes);
    this.#upload(request).parts.set(request.query.get('partNumber') ?? '', { bytes, md5 });
    return { ...xmlAnswer('CopyPartResult', { ETag: `"${md5}"` }), headers: { etag: `"${md5}"` } };
  }

  /** The object that a copy is made of; `?versionId=` may end its name. */
  #source({ headers }: S3Request): StoredObject {
    const [, bucket, key = '', version] =
      /^\/?([^/]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(headers.get('x-amz-copy-source') ?? '') ?? [];
    return this.#find(bucket === this.name ? decodeURIComponent(key) : '', version);
  }

  /** With metadata of its own: nothing of ours takes over what the source had. */
  #copy(request: S3Request): Answer {
    const bytes = this.#files.read(this.#source(request));
    const stored = this.#store(request, bytes, keptHeaders(request.headers), 'ObjectCreated:Copy');
    return { ...xmlAnswer('CopyObjectResult', { ETag: stored.headers?.['etag'] ?? '' }), ...stored };
  }

  #copyPart(request: S3Request): Answer {
    const { headers } = request;
    const source = this.#source(request);
    const { start, end } = readRange(headers.get('x-amz-copy-source-range'), source.sizeBytes);
    return this.#addPart(request, this.#files.read(source).subarray(start, end + 1));
  }

  #complete(request: S3Request): Answer {
    const upload = this.#upload(request);
    const parts = chooseParts(upload, request.body.toString());
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    const etag = `${md5Of(bytes)}-${parts.length}`; // S3's is another, and means no more
    const event = 'ObjectCreated:CompleteMultipartUpload';
    const stored = this.#store(request, bytes, upload.headers, event, etag);
    this.#abort(request);
    const content = { Bucket: this.name, Key: request.key, ETag: `"${etag}"` };
    return { ...xmlAnswer('CompleteMultipartUploadResult', content), ...stored };
  }

  #abort(request: S3Request): Answer {
    this.#upload(request);
    this.#uploads.delete(request.query.get('uploadId') ?? '');
    return { status: 204 };
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
