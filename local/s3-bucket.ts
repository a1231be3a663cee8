import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type ReceivedBody, receiveBody } from './s3-body.ts';
import type { Change } from './s3-events.ts';
import { listObjects, xmlEscape } from './s3-list.ts';
import type { ObjectFiles, StoredObject } from './s3-objects.ts';
import { checkPolicy, type PostForm, readPostForm } from './s3-post.ts';
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

type Part = ReceivedBody & { readonly blob: string };
type Upload = {
  readonly key: string;
  readonly headers: StoredObject['headers'];
  readonly parts: Map<number, Part>;
};

const MIN_PART_BYTES = 5 * 1024 * 1024;
const KEPT = /^(content-(type|disposition|encoding|language)|cache-control|expires|x-amz-meta-.*)$/;

const xml = (text: string): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: text.startsWith('<?xml') ? text : `<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
});

const noSuchKey = () => new Refusal(404, 'NoSuchKey', 'The specified key does not exist.');
const noSuchUpload = () => new Refusal(404, 'NoSuchUpload', 'The specified multipart upload does not exist.');

/** The headers that are stored with an object and answered with it. */
function keptHeaders(headers: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const kept = new Map([['content-type', 'binary/octet-stream']]);
  for (const [name, value] of headers) {
    if (!KEPT.test(name)) continue;
    const plain = name === 'content-encoding' ? value.replace(/(^|,\s*)aws-chunked\b/g, '') : value;
    if (plain !== '') kept.set(name, plain);
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
  readonly #files: ObjectFiles;
  readonly #secrets: Secrets;
  readonly #changed: (change: Change) => void;
  readonly #versioned: boolean;
  // Uploads in parts end with the process; their clients begin anew.
  readonly #uploads = new Map<string, Upload>();

  constructor({
    name,
    files,
    secrets,
    versioned,
    changed,
  }: {
    name: string;
    files: ObjectFiles;
    secrets: Secrets;
    versioned: boolean;
    changed: (change: Change) => void;
  }) {
    this.name = name;
    this.#files = files;
    this.#secrets = secrets;
    this.#versioned = versioned;
    this.#changed = changed;
  }

  readonly operations: Readonly<Record<string, (request: S3Request) => Promise<S3Answer>>> = {
    HeadBucket: async () => ({ status: 200 }),
    ListObjectsV2: async ({ query }) => xml(listObjects(this.#files, this.name, query)),
    PutObject: async (request) => {
      this.#checkCondition(request);
      const part = await this.#receive(request.body, request.headers);
      return this.#store(request, part, keptHeaders(request.headers), 'ObjectCreated:Put');
    },
    CopyObject: async (request) => {
      const { part, source } = await this.#copy(request);
      const anew = request.headers.get('x-amz-metadata-directive') === 'REPLACE';
      const headers = anew ? keptHeaders(request.headers) : source.headers;
      this.#store(request, part, headers, 'ObjectCreated:Copy');
      return xml(`<CopyObjectResult><ETag>"${part.md5}"</ETag></CopyObjectResult>`);
    },
    GetObject: async (request) => this.#read(request),
    HeadObject: async (request) => this.#read(request),
    DeleteObject: async ({ key }) => {
      this.#remove(key);
      return { status: 204 };
    },
    DeleteObjects: async ({ body }) => {
      const keys = [...(await readText(body)).matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) =>
        xmlUnescape(key),
      );
      for (const key of keys) this.#remove(key);
      const rows = keys.map((key) => `<Deleted><Key>${xmlEscape(key)}</Key></Deleted>`);
      return xml(`<DeleteResult>${rows.join('')}</DeleteResult>`);
    },
    PostObject: (request) => this.#post(request),
    CreateMultipartUpload: async ({ key, headers }) => {
      const id = randomUUID();
      this.#uploads.set(id, { key, headers: keptHeaders(headers), parts: new Map() });
      const names = `<Bucket>${this.name}</Bucket><Key>${xmlEscape(key)}</Key><UploadId>${id}</UploadId>`;
      return xml(`<InitiateMultipartUploadResult>${names}</InitiateMultipartUploadResult>`);
    },
    UploadPart: async (request) => {
      const part = await this.#receive(request.body, request.headers);
      this.#addPart(request, part);
      return { status: 200, headers: { etag: `"${part.md5}"` } };
    },
    UploadPartCopy: async (request) => {
      const { part } = await this.#copy(request);
      this.#addPart(request, part);
      return xml(`<CopyPartResult><ETag>"${part.md5}"</ETag></CopyPartResult>`);
    },
    CompleteMultipartUpload: (request) => this.#complete(request),
    AbortMultipartUpload: async (request) => {
      for (const { blob } of this.#upload(request).parts.values()) this.#files.discard(blob);
      this.#uploads.delete(request.query.get('uploadId') ?? '');
      return { status: 204 };
    },
  };

  async #receive(body: AsyncIterable<Buffer>, headers: ReadonlyMap<string, string>): Promise<Part> {
    const blob = this.#files.newBlob();
    return { blob, ...(await receiveBody(body, this.#files.file(blob), headers)) };
  }

  /** Refuses a write whose `If-None-Match: *` or `If-Match` does not hold. */
  #checkCondition({ key, headers }: S3Request): void {
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

  /** Makes received bytes the object of a key; nothing waits in between, so conditions cannot be overtaken. */
  #store(request: S3Request, part: Part, headers: StoredObject['headers'], event: string): S3Answer {
    const { key } = request;
    const { blob, sizeBytes, md5: etag } = part;
    try {
      this.#checkCondition(request);
    } catch (error) {
      this.#files.discard(blob);
      throw error;
    }
    this.#files.put({ key, blob, sizeBytes, etag, headers, modified: new Date().toISOString() });
    this.#changed({ event, key, sizeBytes, etag });
    return { status: 200, headers: { etag: `"${etag}"` } };
  }

  #read({ key, headers, query }: S3Request): S3Answer {
    const object = this.#files.get(key);
    if (object === undefined) throw noSuchKey();
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
      bytes: () => this.#files.read(object.blob, { start, end }),
    };
  }

  #remove(key: string): void {
    const wasThere = this.#files.delete(key);
    if (this.#versioned) this.#changed({ event: 'ObjectRemoved:DeleteMarkerCreated', key });
    else if (wasThere) this.#changed({ event: 'ObjectRemoved:Delete', key });
  }

  async #copy({ headers }: S3Request): Promise<{ part: Part; source: StoredObject }> {
    const [, bucket, key = ''] = /^\/?([^/]+)\/(.+)$/.exec(headers.get('x-amz-copy-source') ?? '') ?? [];
    const source = bucket === this.name ? this.#files.get(decodeURIComponent(key)) : undefined;
    if (source === undefined) throw noSuchKey();
    const range = readRange(headers.get('x-amz-copy-source-range'), source.sizeBytes);
    return { part: await this.#receive(this.#files.read(source.blob, range), new Map()), source };
  }

  async #post({ body, headers }: S3Request): Promise<S3Answer> {
    const { fields, result } = await readPostForm(
      body,
      headers.get('content-type') ?? '',
      async (form, file) => {
        const { least, most } = checkPolicy(form, this.name, this.#secrets);
        const part = await this.#receive(file, form);
        if (part.sizeBytes >= least && part.sizeBytes <= most) return part;
        this.#files.discard(part.blob);
        const code = part.sizeBytes > most ? 'EntityTooLarge' : 'EntityTooSmall';
        throw new Refusal(400, code, 'The size of your upload is outside of what the policy allows');
      },
    );
    return this.#storePosted(fields, result, {
      key: fields.get('key') ?? '',
      headers,
      body,
      query: new URLSearchParams(),
    });
  }

  #storePosted(fields: PostForm, part: Part, request: S3Request): S3Answer {
    const { headers = {} } = this.#store(request, part, keptHeaders(fields), 'ObjectCreated:Post');
    const wanted = Number(fields.get('success_action_status'));
    return { status: [200, 201].includes(wanted) ? wanted : 204, headers };
  }

  #upload({ query, key }: S3Request): Upload {
    const upload = this.#uploads.get(query.get('uploadId') ?? '');
    if (upload === undefined || upload.key !== key) throw noSuchUpload();
    return upload;
  }

  #addPart(request: S3Request, part: Part): void {
    const number = Number(request.query.get('partNumber'));
    const before = this.#upload(request).parts.get(number);
    if (before !== undefined) this.#files.discard(before.blob);
    this.#upload(request).parts.set(number, part);
  }

  async #complete(request: S3Request): Promise<S3Answer> {
    const upload = this.#upload(request);
    const parts = chooseParts(upload, await readText(request.body));
    const files = parts.map(({ blob }) => this.#files.file(blob));
    const whole = await this.#receive(concatenate(files), new Map());
    const sums = createHash('md5')
      .update(parts.map(({ md5 }) => md5).join(''), 'hex')
      .digest('hex');
    const md5 = `${sums}-${parts.length}`;
    this.#store(request, { ...whole, md5 }, upload.headers, 'ObjectCreated:CompleteMultipartUpload');
    this.#uploads.delete(request.query.get('uploadId') ?? '');
    for (const { blob } of upload.parts.values()) this.#files.discard(blob);
    const names = `<Bucket>${this.name}</Bucket><Key>${xmlEscape(request.key)}</Key><ETag>"${md5}"</ETag>`;
    return xml(`<CompleteMultipartUploadResult>${names}</CompleteMultipartUploadResult>`);
  }
}

/** The parts that a CompleteMultipartUpload lists, if they are the ones that were sent. */
function chooseParts(upload: Upload, list: string): readonly Part[] {
  const rows = [...list.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, row = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(row)?.[1]),
    etag: /<ETag>([^<]*)</.exec(row)?.[1]?.replaceAll(/"|&quot;|&#34;/g, ''),
  }));
  return rows.map(({ number, etag }, index) => {
    const part = upload.parts.get(number);
    if (part === undefined || part.md5 !== etag)
      throw new Refusal(400, 'InvalidPart', `Part ${number} is not there.`);
    const before = rows[index - 1]?.number ?? 0;
    if (number <= before)
      throw new Refusal(400, 'InvalidPartOrder', 'Parts must be listed in ascending order.');
    if (part.sizeBytes < MIN_PART_BYTES && index < rows.length - 1) {
      throw new Refusal(
        400,
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
    }
    return part;
  });
}

async function* concatenate(files: readonly string[]): AsyncIterable<Buffer> {
  for (const file of files) yield* createReadStream(file);
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const xmlUnescape = (text = '') =>
  text.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (_, decimal, hex, name) =>
    name
      ? (ENTITIES[name] ?? '')
      : String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16)),
  );
