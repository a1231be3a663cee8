import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ObjectStore } from './object-store.ts';

/**
 * The bucket in S3.
 *
 * A function that asks for an object that may be missing needs `s3:ListBucket`: without it S3 answers 403
 * instead of 404. A 403 is thrown, not read as absence, so that a lost permission is never taken for a
 * deleted package.
 */
export function bucket(client: S3Client, bucketName: string): ObjectStore {
  const at = (key: string) => ({ Bucket: bucketName, Key: key });

  return {
    async put(key, bytes, { contentType, metadata = {} }) {
      await client.send(
        new PutObjectCommand({
          ...at(key),
          Body: bytes,
          ContentType: contentType,
          Metadata: { ...metadata },
        }),
      );
    },

    async get(key) {
      try {
        const { Body: body } = await client.send(new GetObjectCommand(at(key)));
        return await body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },

    async exists(key) {
      try {
        await client.send(new HeadObjectCommand(at(key)));
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },

    async remove(keys) {
      const [only] = keys;
      if (only === undefined) return;
      if (keys.length === 1) await client.send(new DeleteObjectCommand(at(only)));
      else await removeTogether(client, bucketName, keys);
    },

    signedUrl: (key, expiresInSeconds) =>
      getSignedUrl(client, new GetObjectCommand(at(key)), { expiresIn: expiresInSeconds }),
  };
}

/** An answer to HEAD has no body, so nothing but its status says that the object is missing. */
function isNotFound(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
}

/** @throws Error that names the keys which S3 kept: DeleteObjects answers 200 even if it deleted none */
async function removeTogether(client: S3Client, bucketName: string, keys: readonly string[]): Promise<void> {
  const { Errors: errors = [] } = await client.send(
    new DeleteObjectsCommand({
      Bucket: bucketName,
      Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: key })) },
    }),
  );
  if (errors.length === 0) return;
  const kept = errors.map(({ Key: key, Code: code }) => `${key} (${code})`);
  throw new Error(`S3 did not delete ${kept.join(', ')}`);
}
