import { GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { aKey, bytesOf, octets, oddKeys } from './objects-contract.ts';
import type { S3, TestUnless } from './s3-contract.ts';

const codeIn = (xml: string) => /<Code>([^<]*)<\/Code>/.exec(xml)?.[1];

/** @returns the status and, of a refusal, S3's code for it */
export async function ask(url: string | URL, init: RequestInit = {}) {
  const response = await fetch(url, init);
  const body = await response.text();
  return { status: response.status, code: response.ok ? undefined : codeIn(body), body, response };
}

async function anObject({ objects }: S3, text = '0123456789', key = aKey()): Promise<string> {
  await objects.put(key, bytesOf(text), { ...octets, metadata: { version: '1.0.0+build.5' } });
  return key;
}

const plainUrl = ({ endpoint, bucketName }: S3, key: string) =>
  `${endpoint}/${bucketName}/${key.split('/').map(encodeURIComponent).join('/')}`;

/** What those meet who read: by signed URL, by range, without any right. */
export function s3Reads(open: () => S3, itUnless: TestUnless): void {
  describe('a signed URL', () => {
    it('lets anybody get the object, with its type and length', async () => {
      const key = await anObject(open());
      const { status, body, response } = await ask(await open().objects.signedUrl(key, 300));
      expect({ status, body }).toEqual({ status: 200, body: '0123456789' });
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
      expect(response.headers.get('content-length')).toBe('10');
    });

    it.each(oddKeys)('works for a key like %s', async (end) => {
      const key = await anObject(open(), end, aKey(end));
      expect(await ask(await open().objects.signedUrl(key, 300))).toMatchObject({ status: 200, body: end });
    });

    it('serves a part of the object', async () => {
      const url = await open().objects.signedUrl(await anObject(open()), 300);
      const { status, body, response } = await ask(url, { headers: { Range: 'bytes=2-4' } });
      expect({ status, body }).toEqual({ status: 206, body: '234' });
      expect(response.headers.get('content-range')).toBe('bytes 2-4/10');
    });

    it('is 404 where there is no object', async () => {
      const url = await open().objects.signedUrl(aKey(), 300);
      expect(await ask(url)).toMatchObject({ status: 404, code: 'NoSuchKey' });
    });

    it.each<{ what: string; alter: (url: URL, other: string) => void }>([
      {
        what: 'its signature',
        alter: (url) => {
          const signature = url.searchParams.get('X-Amz-Signature') ?? '';
          url.searchParams.set(
            'X-Amz-Signature',
            signature.replace(/^./, (c) => (c === '0' ? '1' : '0')),
          );
        },
      },
      { what: 'its time to live', alter: (url) => url.searchParams.set('X-Amz-Expires', '600') },
      {
        what: 'its object',
        alter: (url, other) => {
          url.pathname = `${url.pathname.split('/')[1]}/${other}`;
        },
      },
      {
        what: 'the access key',
        alter: (url) => {
          const credential = url.searchParams.get('X-Amz-Credential') ?? '';
          url.searchParams.set('X-Amz-Credential', credential.replace(/^[^/]*/, 'AKIAIOSFODNN7EXAMPLE'));
        },
      },
      {
        what: 'what the answer says about itself',
        alter: (url) => url.searchParams.set('response-content-type', 'text/html'),
      },
    ])('is 403 when $what was altered', async ({ alter }) => {
      const url = new URL(await open().objects.signedUrl(await anObject(open()), 300));
      alter(url, await anObject(open(), 'a secret'));
      expect((await ask(url)).status).toBe(403);
    });

    it('is 403 after its time', async () => {
      const command = new GetObjectCommand({ Bucket: open().bucketName, Key: await anObject(open()) });
      const signedAgo = (milliseconds: number) =>
        getSignedUrl(open().client, command, {
          expiresIn: 300,
          signingDate: new Date(Date.now() - milliseconds),
        });
      expect((await ask(await signedAgo(100_000))).status).toBe(200);
      expect(await ask(await signedAgo(3_600_000))).toMatchObject({ status: 403, code: 'AccessDenied' });
    });

    it.each(['HEAD', 'PUT', 'DELETE'])('of a GET is 403 to a %s', async (method) => {
      const key = await anObject(open());
      const url = await open().objects.signedUrl(key, 300);
      expect((await ask(url, { method, ...(method === 'PUT' && { body: 'x' }) })).status).toBe(403);
      expect(await open().objects.get(key)).toEqual(bytesOf('0123456789'));
    });

    itUnless('refuses two credentials at once')('is 400 with an Authorization header beside it', async () => {
      const url = await open().objects.signedUrl(await anObject(open()), 300);
      for (const authorization of ['Basic YWRtaW46c2VjcmV0', 'Bearer abc']) {
        expect(await ask(url, { headers: { authorization } })).toMatchObject({
          status: 400,
          code: 'InvalidArgument',
        });
      }
    });
  });

  describe('a request without a right signature', () => {
    it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('is 403: %s', async (method) => {
      const key = await anObject(open());
      const init = { method, ...(method === 'PUT' && { body: 'x' }) };
      expect((await ask(plainUrl(open(), key), init)).status).toBe(403);
      expect(await open().objects.get(key)).toEqual(bytesOf('0123456789'));
    });

    itUnless('refuses a signature of another secret')('is 403 with another secret', async () => {
      const { endpoint, region, credentials, bucketName } = open();
      const forger = new S3Client({
        endpoint,
        region,
        forcePathStyle: true,
        credentials: { ...credentials, secretAccessKey: 'a guess' },
      });
      const get = forger.send(new GetObjectCommand({ Bucket: bucketName, Key: await anObject(open()) }));
      await expect(get).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
      forger.destroy();
    });
  });

  describe('a range', () => {
    it.each([
      { range: 'bytes=0-0', part: '0', contentRange: 'bytes 0-0/10' },
      { range: 'bytes=3-6', part: '3456', contentRange: 'bytes 3-6/10' },
      { range: 'bytes=7-', part: '789', contentRange: 'bytes 7-9/10' },
      { range: 'bytes=-2', part: '89', contentRange: 'bytes 8-9/10' },
      { range: 'bytes=8-99', part: '89', contentRange: 'bytes 8-9/10' },
    ])('$range gives $part', async ({ range, part, contentRange }) => {
      const command = new GetObjectCommand({
        Bucket: open().bucketName,
        Key: await anObject(open()),
        Range: range,
      });
      const answer = await open().client.send(command);
      expect(await answer.Body?.transformToString()).toBe(part);
      expect(answer).toMatchObject({ ContentRange: contentRange, ContentLength: part.length });
    });

    it('past the end is 416', async () => {
      const command = new GetObjectCommand({
        Bucket: open().bucketName,
        Key: await anObject(open()),
        Range: 'bytes=10-12',
      });
      await expect(open().client.send(command)).rejects.toMatchObject({ name: 'InvalidRange' });
    });
  });

  it('an object is sent to its end though it is replaced and removed meanwhile', async () => {
    const key = aKey('index.yaml');
    const [before, after] = [1, 2].map((byte) => new Uint8Array(32 * 1024 * 1024).fill(byte));
    await open().objects.put(key, before ?? bytesOf(''), octets);
    const answer = await fetch(await open().objects.signedUrl(key, 300));
    await open().objects.put(key, after ?? bytesOf(''), octets);
    await open().objects.remove([key]);
    expect(Buffer.from(await answer.arrayBuffer()).equals(before ?? bytesOf(''))).toBe(true);
  });

  it('HEAD tells length, type, metadata and an entity tag', async () => {
    const command = new HeadObjectCommand({ Bucket: open().bucketName, Key: await anObject(open()) });
    expect(await open().client.send(command)).toMatchObject({
      ContentLength: 10,
      ContentType: 'application/octet-stream',
      ETag: '"781e5e245d69b566979b86e28d23f2c7"',
      Metadata: { version: '1.0.0+build.5' },
    });
  });
}
