import { createHash, randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { readChecked } from './s3-body.ts';
import type { Change } from './s3-events.ts';
import { listObjects, listVersions } from './s3-list.ts';
import type { ObjectFiles, StoredObject } from './s3-objects.ts';
import { checkPolicy, readPostForm } from './s3-post.ts';
import { unescapeXml, xml } from './s3-xml.ts';
import { Refusal, type Secrets } from './sigv4.ts';

/** A request that is known to be allowed. Headers include those that a presigned URL carries in its query. */
export type S3Request = {
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Readable;
};

export type S3Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Opens the object's bytes; not called for HEAD. */
  readonly bytes?: () => Readable;
};

export type BucketOptions = {
  readonly name: string;
  readonly files: ObjectFiles;
  readonly secrets: Secrets;
  readonly versioned: boolean;
  /** Hears of each change once it is on disk. */
  readonly changed: (change: Change) => void;
};

type Part = { readonly bytes: Buffer; readonly md5: string };
type Upload = Pick<StoredObject, 'key' | 'headers'> & { readonly parts: Map<number, Part> };

const MIN_PART_BYTES = 5 * 1024 * 1024;
const KEPT = /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.*)$/;

const md5Of = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

const xmlAnswer = (...[name, ...content]: Parameters<typeof xml>): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: xml(name, ...content),
});

/** The headers that are stored with an object and answered with it. */
function keptHeaders(headers: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const kept = new Map([['content-type', 'binary/octet-stream']]);
  for (const [name, value] of headers) {
    const plain = name === 'content-encoding' ? value.replace(/(^|,\s*)aws-chunked\b/g, '') : value;
    if (KEPT.test(name) && plain !== '') kept.set(name, plain);
  }
  return Object.fromEntries(kept);
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

/** The operations of one bucket, by AWS's names for them. */
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

  readonly operations: Readonly<Record<string, (request: S3Request) => Promise<S3Answer>>> = {
    HeadBucket: async () => ({ status: 200 }),
    ListObjectsV2: async ({ query }) => xmlAnswer('ListBucketResult', ...listObjects(this.#files, query)),
    ListObjectVersions: async ({ query }) =>
      xmlAnswer('ListVersionsResult', ...listVersions(this.#files, query)),
    PutObject: async (request) => {
      this.#checkCondition(request); // a refusal need not wait for the body
      const bytes = await readChecked(request.body, request.headers);
      return this.#store(request, bytes, keptHeaders(request.headers), 'ObjectCreated:Put');
    },
    CopyObject: async (request) => {
      const { bytes, source } = await this.#readSource(request);
      const anew = request.headers.get('x-amz-metadata-directive') === 'REPLACE';
      const headers = anew ? keptHeaders(request.headers) : source.headers;
      const stored = this.#store(request, bytes, headers, 'ObjectCreated:Copy');
      return xmlAnswer('CopyObjectResult', { ETag: stored.headers?.['etag'] });
    },
    GetObject: async (request) => this.#read(request),
    HeadObject: async (request) => this.#read(request),
    DeleteObject: async ({ key, query }) => {
      this.#remove(key, query.get('versionId'));
      return { status: 204 };
    },
    DeleteObjects: async ({ body }) => {
      const named = (await text(body)).matchAll(/<Key>([^<]*)<\/Key>(?:<VersionId>([^<]*)<\/VersionId>)?/g);
      const removed = [...named].map(([, key, versionId]) => ({ Key: unescapeXml(key), versionId }));
      for (const { Key, versionId } of removed) this.#remove(Key, versionId);
      return xmlAnswer('DeleteResult', ...removed.map(({ Key }) => ({ Deleted: { Key } })));
    },
    PostObject: (request) => this.#post(request),
    CreateMultipartUpload: async ({ key, headers }) => {
      const UploadId = randomUUID();
      this.#uploads.set(UploadId, { key, headers: keptHeaders(headers), parts: new Map() });
      return xmlAnswer('InitiateMultipartUploadResult', { Bucket: this.name, Key: key, UploadId });
    },
    UploadPart: async (request) => {
      const etag = this.#addPart(request, await readChecked(request.body, request.headers));
      return { status: 200, headers: { etag } };
    },
    UploadPartCopy: async (request) => {
      const { bytes } = await this.#readSource(request);
      return xmlAnswer('CopyPartResult', { ETag: this.#addPart(request, bytes) });
    },
    CompleteMultipartUpload: async (request) => {
      const upload = this.#upload(request);
      const parts = chooseParts(upload, await text(request.body));
      const etag = `${md5Of(Buffer.concat(parts.map(({ md5 }) => Buffer.from(md5, 'hex'))))}-${parts.length}`;
      const bytes = Buffer.concat(parts.map((part) => part.bytes));
      this.#store(request, bytes, upload.headers, 'ObjectCreated:CompleteMultipartUpload', etag);
      this.#uploads.delete(request.query.get('uploadId') ?? '');
      return xmlAnswer('CompleteMultipartUploadResult', {
        Bucket: this.name,
        Key: request.key,
        ETag: `"${etag}"`,
      });
    },
    AbortMultipartUpload: async (request) => {
      this.#upload(request);
      this.#uploads.delete(request.query.get('uploadId') ?? '');
      return { status: 204 };
    },
  };

  /** Refuses a write whose `If-None-Match: *` or `If-Match` does not hold. */
  #checkCondition({ key, headers }: Pick<S3Request, 'key' | 'headers'>): void {
    const there = this.#files.get(key);
    const match = headers.get('if-match');
    const stale = match !== undefined && match.replaceAll('"', '') !== there?.etag;
    if (stale || (headers.get('if-none-match') === '*' && there !== undefined)) {
      throw new Refusal(
        412,
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold',
      );
    }
  }

  /** Makes bytes the object of a key; nothing waits in between, so conditions cannot be overtaken. */
  #store(
    request: Pick<S3Request, 'key' | 'headers'>,
    bytes: Buffer,
    headers: StoredObject['headers'],
    event: string,
    etag = md5Of(bytes),
  ): S3Answer {
    const { key } = request;
    this.#checkCondition(request);
    this.#files.put({ key, etag, headers }, bytes);
    this.#options.changed({ event, key, sizeBytes: bytes.length, etag });
    return { status: 200, headers: { etag: `"${etag}"` } };
  }

  #find(key: string): StoredObject {
    const object = this.#files.get(key);
    if (object === undefined) throw new Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
    return object;
  }

  #read({ key, headers, query }: S3Request): S3Answer {
    const object = this.#find(key);
    const { start, end, partial } = readRange(headers.get('range'), object.sizeBytes);
    const asked = [...query].filter(([name]) => name.startsWith('response-'));
    return {
      status: partial ? 206 : 200,
      headers: {
        ...object.headers,
        ...Object.fromEntries(asked.map(([name, value]) => [name.slice('response-'.length), value])),
        etag: `"${object.etag}"`,
        'last-modified': new Date(object.modified).toUTCString(),
        'accept-ranges': 'bytes',
        'content-length': String(end - start + 1),
        ...(partial && { 'content-range': `bytes ${start}-${end}/${object.sizeBytes}` }),
      },
      bytes: () => this.#files.read(object, { start, end }),
    };
  }

  #remove(key: string, versionId?: string | null): void {
    if (versionId && this.#files.get(key)?.blob !== versionId) return;
    const wasThere = this.#files.delete(key);
    if (this.#options.versioned && !versionId)
      this.#options.changed({ event: 'ObjectRemoved:DeleteMarkerCreated', key });
    else if (wasThere) this.#options.changed({ event: 'ObjectRemoved:Delete', key });
  }

  /** The object, or the range of it, that a copy names. */
  async #readSource({ headers }: S3Request): Promise<{ bytes: Buffer; source: StoredObject }> {
    const [, bucket, key = ''] = /^\/?([^/]+)\/(.+)$/.exec(headers.get('x-amz-copy-source') ?? '') ?? [];
    const source = this.#find(bucket === this.name ? decodeURIComponent(key) : '');
    const range = readRange(headers.get('x-amz-copy-source-range'), source.sizeBytes);
    return { bytes: await buffer(this.#files.read(source, range)), source };
  }

  async #post({ body, headers }: S3Request): Promise<S3Answer> {
    const { fields, file } = await readPostForm(body, headers.get('content-type') ?? '');
    checkPolicy(fields, file, this.name, this.#options.secrets);
    const form = { key: fields.get('key') ?? '', headers: fields };
    const stored = this.#store(form, file, keptHeaders(fields), 'ObjectCreated:Post');
    const wanted = Number(fields.get('success_action_status'));
    return { ...stored, status: [200, 201].includes(wanted) ? wanted : 204 };
  }

  #upload({ query, key }: S3Request): Upload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload?.key === key) return upload;
    throw new Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');
  }

  /** @returns the part's quoted etag */
  #addPart(request: S3Request, bytes: Buffer): string {
    const md5 = md5Of(bytes);
    this.#upload(request).parts.set(Number(request.query.get('partNumber')), { bytes, md5 });
    return `"${md5}"`;
  }
}

/** The parts that a CompleteMultipartUpload lists, if they are the ones that were sent. */
function chooseParts(upload: Upload, list: string): readonly Part[] {
  const rows = [...list.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, row = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(row)?.[1]),
    etag: unescapeXml(/<ETag>([^<]*)</.exec(row)?.[1]).replaceAll('"', ''),
  }));
  return rows.map(({ number, etag }, index) => {
    const part = upload.parts.get(number);
    if (part === undefined || part.md5 !== etag)
      throw new Refusal(400, 'InvalidPart', `Part ${number} is not there.`);
    if (number <= (rows[index - 1]?.number ?? 0)) {
      throw new Refusal(400, 'InvalidPartOrder', 'Parts must be listed in ascending order.');
    }
    if (part.bytes.length < MIN_PART_BYTES && index < rows.length - 1) {
      throw new Refusal(
        400,
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
    }
    return part;
  });
}
