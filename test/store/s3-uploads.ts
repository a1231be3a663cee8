import { PutObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, it } from 'vitest';
import { aKey, bytesOf } from './objects-contract.ts';
import { postForm } from './post-policy.ts';
import type { S3, TestUnless } from './s3-contract.ts';
import { ask } from './s3-reads.ts';

const soon = { expiresInSeconds: 300 };

/** A URL that lets its holder PUT the object. The checksum of no bytes, which the SDK would sign into it, must not be there. */
function putUrl({ client, bucketName }: S3, key: string, contentType?: string): Promise<string> {
  const command = new PutObjectCommand({
    Bucket: bucketName,
    Key: key,
    ...(contentType && { ContentType: contentType }),
  });
  return getSignedUrl(client, command, {
    expiresIn: 300,
    ...(contentType && { signableHeaders: new Set(['content-type']) }),
  });
}

/** Sends a form as a browser does, the file last. */
function post({ endpoint, bucketName }: S3, fields: Readonly<Record<string, string>>, file: string) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([file]), 'redis-1.0.0.tgz');
  return ask(`${endpoint}/${bucketName}`, { method: 'POST', body: form });
}

/** Uploads by those who hold no credentials, and by those who were overheard. */
export function s3Uploads(open: () => S3, itUnless: TestUnless): void {
  describe('a signed PUT', () => {
    it('puts the object', async () => {
      const key = aKey('up+load 1.tgz');
      const url = await putUrl(open(), key);
      expect((await ask(url, { method: 'PUT', body: 'a package' })).status).toBe(200);
      expect(await open().objects.get(key)).toEqual(bytesOf('a package'));
    });

    it('is 403 for another object', async () => {
      const [key, other] = [aKey(), aKey()];
      const url = (await putUrl(open(), key)).replace(key, other);
      expect((await ask(url, { method: 'PUT', body: 'a package' })).status).toBe(403);
      expect(await open().objects.exists(other)).toBe(false);
    });

    it('is 403 with another type than the one that was signed', async () => {
      const key = aKey();
      const url = await putUrl(open(), key, 'application/gzip');
      const send = (type: string) =>
        ask(url, { method: 'PUT', body: 'a package', headers: { 'content-type': type } });
      expect((await send('text/html')).status).toBe(403);
      expect(await open().objects.exists(key)).toBe(false);
      expect((await send('application/gzip')).status).toBe(200);
    });
  });

  describe('a signed POST', () => {
    const atMost10: ['content-length-range', number, number] = ['content-length-range', 1, 10];

    it('puts the object within the policy', async () => {
      const key = aKey();
      const fields = await postForm(open(), key, { conditions: [atMost10], ...soon });
      expect((await post(open(), fields, '0123456789')).status).toBe(204);
      expect(await open().objects.get(key)).toEqual(bytesOf('0123456789'));
    });

    it.each([
      { what: 'more bytes than allowed', file: '0123456789+', code: 'EntityTooLarge' },
      { what: 'fewer bytes than allowed', file: '', code: 'EntityTooSmall' },
    ])('is 400 with $what', async ({ file, code }) => {
      const key = aKey();
      const fields = await postForm(open(), key, { conditions: [atMost10], ...soon });
      expect(await post(open(), fields, file)).toMatchObject({ status: 400, code });
      expect(await open().objects.exists(key)).toBe(false);
    });

    it.each<{
      what: string;
      alter: (
        fields: Record<string, string>,
        s3: S3,
      ) => Promise<Record<string, string>> | Record<string, string>;
    }>([
      { what: 'another key', alter: (fields) => ({ ...fields, key: aKey() }) },
      {
        what: 'a policy that was altered',
        alter: async (fields, s3) => {
          const { Policy } = await postForm(s3, fields['key'] ?? '', {
            conditions: [],
            ...soon,
          });
          return { ...fields, ...(Policy && { Policy }) };
        },
      },
      {
        what: 'a policy after its time',
        alter: (fields, s3) => postForm(s3, fields['key'] ?? '', { conditions: [], expiresInSeconds: -3600 }),
      },
      { what: 'no policy', alter: (fields) => ({ key: fields['key'] ?? '' }) },
      {
        what: 'a field that the policy does not name',
        alter: (fields) => ({ ...fields, 'Content-Type': 'text/html' }),
      },
    ])('is 403 with $what', async ({ alter }) => {
      const form = await postForm(open(), aKey(), { conditions: [atMost10], ...soon });
      const fields = await alter(form, open());
      expect((await post(open(), fields, 'small')).status).toBe(403);
      expect(await open().objects.exists(fields['key'] ?? '')).toBe(false);
    });
  });

  itUnless('refuses bytes that were not signed')(
    'refuses bytes other than those that were signed',
    async () => {
      const { client, bucketName, objects } = open();
      const key = aKey();
      const put = new PutObjectCommand({ Bucket: bucketName, Key: key, Body: 'a package' });
      put.middlewareStack.add(
        (next) => (signed) => {
          Object.assign(signed.request ?? {}, { body: 'a virus!!' });
          return next(signed);
        },
        { step: 'deserialize' },
      );
      await expect(client.send(put)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
      expect(await objects.exists(key)).toBe(false);
    },
  );
}
