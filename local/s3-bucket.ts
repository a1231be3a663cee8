import { createHash, randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { toPut } from './acts.ts';
import type { Body } from './body.ts';
import type { Answer } from './dynamodb.ts';
import type { FileStretch } from './file-stretch.ts';
import type { Roles } from './roles.ts';
import type { Change } from './s3-events.ts';
import { listObjects, listVersions } from './s3-list.ts';
import type { NewFile, ObjectFiles, StoredObject, Stretch } from './s3-objects.ts';
import {
  CRC32,
  checkSent,
  checksumText,
  chooseParts,
  type Part,
  readChecks,
  type Upload,
} from './s3-parts.ts';
import { checkPolicy, readPostForm } from './s3-post.ts';
import { readXml, xml } from './s3-xml.ts';
import { Refusal, type Secrets } from './sigv4.ts';

/** A request that is known to be allowed. */
export type S3Request = {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Body;
};

/** An object's bytes are sent as they are read. */
export type S3Answer = Omit<Answer, 'body'> & { readonly body?: string | FileStretch };

export type BucketOptions = {
  readonly name: string;
  readonly files: ObjectFiles;
  readonly secrets: Secrets;
  readonly may: Roles;
  /** Hears of each change, in the moment of it. */
  readonly changed: (change: Change) => void;
};

const KEPT = /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.*)$/;

const md5Of = (bytes: Buffer | string) => createHash('md5').update(bytes).digest('hex');

const xmlAnswer = (...[name, ...content]: Parameters<typeof xml>): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: xml(name, ...content),
});

type Operation = readonly [name: string, run: (request: S3Request) => S3Answer | Promise<S3Answer>];

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

/** @returns the first and the last byte of what is copied; the whole for none */
function readSourceRange(range: string | undefined, sizeBytes: number) {
  if (range === undefined) return { start: 0, end: sizeBytes - 1 };
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const [start, end] = [Number(from), Number(to)];
  if (to !== '' && start <= end && end < sizeBytes) return { start, end };
  throw new Refusal(400, 'InvalidArgument', 'The range is not valid for the source.');
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
    'PUT object uploadId': ['UploadPart', (request) => this.#putPart(request)],
    'PUT object x-amz-copy-source uploadId': ['UploadPartCopy', (request) => this.#copyPart(request)],
    'POST object uploadId': ['CompleteMultipartUpload', (request) => this.#complete(request)],
    'DELETE object uploadId': ['AbortMultipartUpload', (request) => this.#abort(request)],
  };

  /** @returns nothing for what is not imitated */
  operation(method: string, { key, query, headers }: S3Request): Operation | undefined {
    const marks = MARKS.filter((mark) => query.has(mark) || headers.has(mark));
    return this.#operations[[method, key === '' ? 'bucket' : 'object', ...marks].join(' ')];
  }

  #put(request: S3Request): Promise<Answer> {
    const { key, headers, body } = request;
    const object = { key, etag: body.md5, headers: keptHeaders(headers) };
    return this.#files.write(body.chunks, (file) => this.#store(request, file, object, 'Put'));
  }

  #get(request: S3Request): S3Answer {
    const { object, start, end, answer } = this.#head(request);
    return { ...answer, body: this.#files.read(object.blob, start, end) };
  }

  #delete({ key, query }: S3Request): Answer {
    const version = query.get('versionId') ?? undefined;
    this.#remove(key, version);
    return { status: 204, ...(version && { headers: { 'x-amz-version-id': version } }) };
  }

  #deleteMany({ body }: S3Request): Answer {
    const rows = readXml(body.bytes.toString(), 'Object');
    const deleted = rows.map((field) => ({ Key: field('Key') ?? '', VersionId: field('VersionId') }));
    for (const { Key, VersionId } of deleted) this.#remove(Key, VersionId);
    return xmlAnswer('DeleteResult', ...deleted.map((Deleted) => ({ Deleted })));
  }

  /**
   * Makes a file the object of a key, unless `If-None-Match: *` asks that there be none. Nothing waits in between,
   * so the condition cannot be overtaken. The event goes first: a process that ends here has not answered yet, and
   * an event without its object does less harm than an object without its event.
   */
  #store(
    { headers }: Pick<S3Request, 'headers'>,
    file: NewFile,
    object: Pick<StoredObject, 'key' | 'etag' | 'headers'>,
    how: 'Put' | 'Post' | 'Copy' | 'CompleteMultipartUpload',
  ): Answer {
    const { key, etag } = object;
    if (headers.get('if-none-match') === '*' && this.#files.get(key) !== undefined) {
      throw new Refusal(412, 'PreconditionFailed', 'A precondition did not hold');
    }
    this.#options.changed({ event: `ObjectCreated:${how}`, key, size: file.sizeBytes, eTag: etag });
    this.#files.store({ ...object, ...file });
    return { status: 200, headers: { etag: `"${etag}"`, 'x-amz-version-id': file.blob } };
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
    const { fields, file } = await readPostForm(body.bytes, headers.get('content-type') ?? '');
    const signer = checkPolicy(fields, file, this.name, this.#options.secrets);
    const key = fields.get('key') ?? '';
    if (!this.#options.may(signer, toPut(this.name, key))) {
      throw new Refusal(403, 'AccessDenied', `${signer} may not put ${key}`);
    }
    const object = { key, etag: md5Of(file), headers: keptHeaders(fields) };
    const store = (written: NewFile) => this.#store({ headers: fields }, written, object, 'Post');
    return { ...(await this.#files.write([file], store)), status: 204 };
  }

  #begin({ key, headers }: S3Request): Answer {
    const UploadId = randomUUID();
    const checks = readChecks(headers);
    this.#uploads.set(UploadId, { key, headers: keptHeaders(headers), checks, parts: new Map() });
    return xmlAnswer('InitiateMultipartUploadResult', { Bucket: this.name, Key: key, UploadId });
  }

  #upload({ query, key }: S3Request): Upload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload?.key === key) return upload;
    throw new Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
  }

  #addPart(request: S3Request, part: Part): void {
    const { parts } = this.#upload(request);
    const number = request.query.get('partNumber') ?? '';
    this.#release(parts.get(number));
    parts.set(number, part);
  }

  #putPart(request: S3Request): Answer {
    const { chunks, md5: etag } = request.body;
    const checksum = checkSent(this.#upload(request), request);
    const sizeBytes = chunks.reduce((length, chunk) => length + chunk.length, 0);
    this.#addPart(request, { etag, sizeBytes, checksum, chunks });
    const isTold = request.headers.has(CRC32);
    return { status: 200, headers: { etag: `"${etag}"`, ...(isTold && { [CRC32]: checksum }) } };
  }

  /** The object that a copy is made of; `?versionId=` may end its name. */
  #source({ headers }: S3Request): StoredObject {
    const [, bucket, key = '', version] =
      /^\/?([^/]+)\/([^?]+)(?:\?versionId=(.+))?$/.exec(headers.get('x-amz-copy-source') ?? '') ?? [];
    return this.#find(bucket === this.name ? decodeURIComponent(key) : '', version);
  }

  /** With metadata of its own: nothing of ours takes over what the source had. */
  async #copy(request: S3Request): Promise<Answer> {
    const { blob, etag, sizeBytes } = this.#source(request);
    const bytes = this.#files.read(blob, 0, sizeBytes - 1);
    const object = { key: request.key, etag, headers: keptHeaders(request.headers) };
    const stored = await this.#files.write(bytes, (file) => this.#store(request, file, object, 'Copy'));
    return { ...xmlAnswer('CopyObjectResult', { ETag: `"${etag}"` }), ...stored };
  }

  async #copyPart(request: S3Request): Promise<Answer> {
    const { checks } = this.#upload(request); // before anything is held on to for it
    const source = this.#source(request);
    const { start, end } = readSourceRange(request.headers.get('x-amz-copy-source-range'), source.sizeBytes);
    // S3's is another, and means no more: a blob never changes.
    const etag = md5Of(`${source.blob} ${start}-${end}`);
    const held = this.#files.hold(source);
    try {
      const checksum = checks === 'none' ? undefined : await this.#checksum(held, start, end);
      const part = { etag, sizeBytes: end - start + 1, held, start, end };
      this.#addPart(request, { ...part, ...(checksum !== undefined && { checksum }) });
      return xmlAnswer('CopyPartResult', { ETag: `"${etag}"`, ChecksumCRC32: checksum });
    } catch (error) {
      this.#files.release(held); // the upload may have ended meanwhile
      throw error;
    }
  }

  async #checksum(blob: string, start: number, end: number): Promise<string> {
    let sum = 0;
    for await (const piece of this.#files.read(blob, start, end)) sum = crc32(piece, sum);
    return checksumText(sum);
  }

  async #complete(request: S3Request): Promise<Answer> {
    const upload = this.#upload(request);
    const { key, headers } = upload;
    const chosen = chooseParts(upload, request.body.bytes.toString());
    const etag = `${md5Of(chosen.map((part) => part.etag).join())}-${chosen.length}`;
    const stored = await this.#files.join(this.#stretches(request, chosen), (file) => {
      this.#upload(request); // it may have ended meanwhile
      const answer = this.#store(request, file, { key, etag, headers }, 'CompleteMultipartUpload');
      this.#abort(request); // in the same moment: nobody else may end an upload whose object is there
      return answer;
    });
    const content = { Bucket: this.name, Key: key, ETag: `"${etag}"` };
    return { ...xmlAnswer('CompleteMultipartUploadResult', content), ...stored };
  }

  #stretches(request: S3Request, parts: readonly Part[]): readonly Stretch[] {
    return parts.map((part) => ({
      sizeBytes: part.sizeBytes,
      bytes: () => {
        this.#upload(request); // what it holds on to goes with it
        return 'chunks' in part ? part.chunks : this.#files.read(part.held, part.start, part.end);
      },
    }));
  }

  #abort(request: S3Request): Answer {
    for (const part of this.#upload(request).parts.values()) this.#release(part);
    this.#uploads.delete(request.query.get('uploadId') ?? '');
    return { status: 204 };
  }

  #release(part: Part | undefined): void {
    if (part !== undefined && 'held' in part) this.#files.release(part.held);
  }
}
