import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { bucket } from '../../shared/store/bucket.ts';
import { lightBucket } from '../../shared/store/light-bucket.ts';
import { type Exchange, scriptedServer } from './scripted-server.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const clientOf = (endpoint: string, maxAttempts: number) =>
  new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

/** What says of itself how long it is, and ends before that. */
const cutOff = ({ response }: Exchange) =>
  response.writeHead(200, { 'content-length': 10 }).write('01234', () => response.destroy());

/** The light store over an S3 that answers as a script says, one answer after the other; the last one stays. */
async function lightly(...script: readonly ((exchange: Exchange) => unknown)[]) {
  const methods: (string | undefined)[] = [];
  const server = await scriptedServer(async (exchange) => {
    const reply = script[Math.min(methods.length, script.length - 1)];
    methods.push(exchange.request.method);
    reply?.(exchange);
  });
  const client = clientOf(server.url, 3);
  closing.push(() => client.destroy(), server.close);
  let isWhole = false;
  const store = lightBucket(client.config, { bucketName: 'charts', endpoint: server.url }, async () => {
    isWhole = true;
    return bucket(client, 'charts');
  });
  return { store, methods, neededAll: () => isWhole };
}

/** The store over an S3 that answers everything alike. */
async function answering(status: number, xml: string) {
  const server = await scriptedServer(async ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
  });
  const client = clientOf(server.url, 1);
  closing.push(() => client.destroy(), server.close);
  return bucket(client, 'charts');
}

const error = (code: string) => `<Error><Code>${code}</Code><Message>No.</Message></Error>`;

describe('the bucket', () => {
  it('throws with the keys that S3 kept, though the answer to their removal is 200', async () => {
    const store = await answering(
      200,
      '<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>',
    );
    await expect(store.remove(['a', 'b'])).rejects.toThrow('S3 did not delete b (AccessDenied)');
  });

  it('takes neither a lost permission nor a lost bucket for a missing object', async () => {
    const denied = await answering(403, error('AccessDenied'));
    await expect(denied.get('a')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(denied.exists('a')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const lost = await answering(404, error('NoSuchBucket'));
    await expect(lost.get('a')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

describe('an object that is composed', () => {
  type Refusal = { readonly of: string; readonly status: number; readonly code: string };

  /** The store over an S3 that takes uploads in parts as the real one does, and notes what it is asked. */
  async function taking(refusal?: Refusal, sizeBytes?: number) {
    const asked: string[] = [];
    const headers = new Map<string, Exchange['request']['headers']>();
    const bodies = new Map<string, string>();
    const server = await scriptedServer(async ({ request, body, response }) => {
      const query = new URL(request.url ?? '', 'http://s3').searchParams;
      const part = query.get('partNumber');
      const isCopy = request.headers['x-amz-copy-source'] !== undefined;
      const name = `${request.method}${part === null ? '' : ` ${isCopy ? 'copy' : 'part'} ${part}`}`;
      const call = query.has('uploads') ? 'begin' : name;
      asked.push(call);
      headers.set(call, request.headers);
      bodies.set(call, body.toString());
      if (call === refusal?.of) {
        response.writeHead(refusal.status).end(error(refusal.code));
        return;
      }
      if (call === 'HEAD') {
        response.writeHead(sizeBytes === undefined ? 404 : 200, { 'content-length': sizeBytes ?? 0 }).end();
        return;
      }
      const checksum = request.headers['x-amz-checksum-crc32'];
      if (checksum !== undefined) response.setHeader('x-amz-checksum-crc32', checksum);
      response.setHeader('etag', `"etag of ${call}"`);
      response.end(
        query.has('uploads')
          ? '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>'
          : isCopy
            ? '<CopyPartResult><ETag>"copied"</ETag><ChecksumCRC32>Y29weQ==</ChecksumCRC32></CopyPartResult>'
            : '<CompleteMultipartUploadResult><Key>a</Key></CompleteMultipartUploadResult>',
      );
    });
    const client = clientOf(server.url, 1);
    closing.push(() => client.destroy(), server.close);
    async function* parts() {
      yield { bytes: async () => Buffer.from('first') };
      yield { from: 'b c', offset: 10, sizeBytes: 5 };
    }
    const compose = () => bucket(client, 'charts').compose('a', parts(), { contentType: 'text/plain' });
    return { compose, asked, headers, bodies };
  }

  it('has a checksum of each part, of which S3 is told first and last', async () => {
    const { compose, headers, bodies } = await taking();
    expect(await compose()).toBe(true);
    expect(headers.get('begin')).toMatchObject({ 'x-amz-checksum-algorithm': 'CRC32' });
    const crc32 = headers.get('PUT part 1')?.['x-amz-checksum-crc32'];
    expect(crc32).toBe('knHuVw==');
    expect(headers.get('PUT copy 2')).toMatchObject({
      'x-amz-copy-source': 'charts/b%20c',
      'x-amz-copy-source-range': 'bytes=10-14',
    });
    const listed = [...(bodies.get('POST') ?? '').matchAll(/<ChecksumCRC32>(.*?)<.*?<PartNumber>(.*?)</g)];
    expect(listed.map(([, sum, number]) => [number, sum])).toEqual([
      ['1', crc32],
      ['2', 'Y29weQ=='],
    ]);
  });

  it.each([
    { what: 'a part is refused', of: 'PUT part 1', status: 500, code: 'InternalError', is: 'InternalError' },
    { what: 'a part is forbidden', of: 'PUT part 1', status: 403, code: 'AccessDenied', is: 'AccessDenied' },
    { what: 'a copy fails', of: 'PUT copy 2', status: 500, code: 'InternalError', is: 'InternalError' },
    { what: 'the upload is gone', of: 'POST', status: 404, code: 'NoSuchUpload', is: 'NoSuchUpload' },
  ])('is given up where $what, and says why', async ({ is, ...refusal }) => {
    const { compose, asked } = await taking(refusal);
    await expect(compose()).rejects.toMatchObject({ name: is });
    expect(asked.at(-1)).toBe('DELETE');
  });

  it.each([
    { status: 404, code: 'NoSuchKey' },
    // Who may not list gets this of an object that is gone.
    { status: 403, code: 'AccessDenied' },
  ])('is given up where what it is of is gone: $code', async (refusal) => {
    const { compose, asked } = await taking({ of: 'PUT copy 2', ...refusal });
    expect(await compose()).toBe(false);
    expect(asked.at(-1)).toBe('DELETE');
  });

  describe('whose upload is gone because the answer to its end was lost', () => {
    const gone = { of: 'POST', status: 404, code: 'NoSuchUpload' };

    it('is there', async () => {
      const { compose, asked } = await taking(gone, 'first'.length + 5);
      expect(await compose()).toBe(true);
      expect(asked.slice(-2)).toEqual(['POST', 'HEAD']);
    });

    it('is not there where another of that key is', async () => {
      const { compose, asked } = await taking(gone, 9);
      await expect(compose()).rejects.toMatchObject({ name: 'NoSuchUpload' });
      expect(asked.at(-1)).toBe('DELETE');
    });
  });
});

describe('the light bucket', () => {
  const text = '0123456789';
  const whole = ({ response }: Exchange) => response.writeHead(200, { 'content-length': 10 }).end(text);
  const answer =
    (status: number, body = '') =>
    ({ response }: Exchange) =>
      response.writeHead(status).end(body);
  const large = ({ response }: Exchange) =>
    response.writeHead(200, { 'content-length': 2 * 1024 * 1024 }).write('0');

  it('reads and looks without the S3 client', async () => {
    const { store, methods, neededAll } = await lightly(whole);
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(text);
    expect(await store.exists('a')).toBe(true);
    expect(methods).toEqual(['GET', 'HEAD']);
    expect(neededAll()).toBe(false);
  });

  it.each([
    { what: 'an answer that is cut off', first: cutOff },
    { what: 'a connection that ends', first: ({ response }: Exchange) => response.destroy() },
    { what: 'a fault of S3', first: answer(503) },
    { what: 'an object that is large', first: large },
  ])('leaves $what to it, which asks again', async ({ first }) => {
    const { store, methods, neededAll } = await lightly(first, answer(503), whole);
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(text);
    expect(methods).toEqual(['GET', 'GET', 'GET']);
    expect(neededAll()).toBe(true);
  });

  it('takes neither a lost permission nor a lost bucket for a missing object', async () => {
    const { store: denied } = await lightly(answer(403, error('AccessDenied')));
    await expect(denied.get('a')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(denied.exists('a')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const { store: lost } = await lightly(answer(404, error('NoSuchBucket')));
    await expect(lost.get('a')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});
