import { Readable } from 'node:stream';
import {
  type _Object as AnObject,
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  NoSuchKey,
  type ObjectIdentifier,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { composeObject, copySource } from './compose-object.ts';
import type { ListedObject, ObjectStore } from './object-store.ts';

/**
 * The bucket in S3.
 *
 * A function that asks for an object that may be missing needs `s3:ListBucket`: without it S3 answers 403
 * instead of 404. A 403 is thrown, not read as absence, so that a lost permission is never taken for a
 * deleted package.
 */
export function bucket(client: S3Client, bucketName: string): ObjectStore {
  const at = (key: string) => ({ Bucket: bucketName, Key: key });

  const removeTogether = (keys: readonly ObjectIdentifier[]) => removeAll(client, bucketName, keys);

  async function head(key: string) {
    try {
      const { Metadata: metadata = {}, ContentLength: sizeBytes = 0 } = await client.send(
        new HeadObjectCommand(at(key)),
      );
      return { metadata, sizeBytes };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

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

    async get(key, range) {
      const bytes = range && `bytes=${range.offset}-${range.offset + range.sizeBytes - 1}`;
      try {
        const { Body: body } = await client.send(
          new GetObjectCommand({ ...at(key), ...(bytes && { Range: bytes }) }),
        );
        return await body?.transformToByteArray();
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },

    async read(key, { atMostBytes }) {
      try {
        const answer = await client.send(new GetObjectCommand(at(key)));
        const {
          Body: body,
          Metadata: metadata = {},
          ContentLength: sizeBytes = 0,
          VersionId: versionId,
        } = answer;
        const said = { metadata, sizeBytes, versionId: versionId ?? 'null' };
        if (sizeBytes <= atMostBytes)
          return { ...said, bytes: (await body?.transformToByteArray()) ?? new Uint8Array() };
        if (body instanceof Readable) body.destroy();
        return said;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },

    head,

    async copy(from, to, { contentType, metadata }) {
      try {
        await client.send(
          new CopyObjectCommand({
            ...at(to),
            CopySource: `${copySource(bucketName, from.key)}?versionId=${from.versionId}`,
            MetadataDirective: 'REPLACE',
            // Tags that came along would ask for rights of their own.
            TaggingDirective: 'REPLACE',
            ContentType: contentType,
            Metadata: { ...metadata },
          }),
        );
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },

    compose: (key, parts, options) => composeObject(client, bucketName, { key, parts, ...options }),

    exists: async (key) => (await head(key)) !== undefined,

    async remove(keys) {
      const [only] = keys;
      if (only === undefined) return;
      if (keys.length === 1) await client.send(new DeleteObjectCommand(at(only)));
      else await removeTogether(keys.map((key) => ({ Key: key })));
    },

    async *list(prefix) {
      const pages = paginateListObjectsV2({ client }, { Bucket: bucketName, Prefix: prefix });
      for await (const { Contents: objects = [] } of pages) yield* objects.map(listed);
    },

    async *folders(prefix, end, after) {
      const pages = paginateListObjectsV2(
        { client },
        { Bucket: bucketName, Prefix: prefix, Delimiter: end, StartAfter: after },
      );
      for await (const { CommonPrefixes: found = [] } of pages) {
        // The keys that `after` begins come after it, and bring it up once more.
        yield* found.flatMap(({ Prefix: folder }) => (folder === after ? [] : (folder ?? [])));
      }
    },

    async *listVersions(prefix) {
      let position: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {};
      while (position !== undefined) {
        const page: ListObjectVersionsCommandOutput = await client.send(
          new ListObjectVersionsCommand({ Bucket: bucketName, Prefix: prefix, ...position }),
        );
        for (const version of page.Versions ?? []) {
          yield { ...listed(version), versionId: version.VersionId ?? 'null' };
        }
        const { NextKeyMarker: key, NextVersionIdMarker: id } = page;
        position = page.IsTruncated
          ? { ...(key && { KeyMarker: key }), ...(id && { VersionIdMarker: id }) }
          : undefined;
      }
    },

    async removeForGood(removed) {
      if (removed.length === 0) return;
      await removeTogether(removed.map(({ key, versionId }) => ({ Key: key, VersionId: versionId })));
    },

    async signedPost(key, { atMostBytes, expiresInSeconds }) {
      // One endpoint signs forms; the others need not load it.
      const { createPresignedPost } = await import('@aws-sdk/s3-presigned-post');
      return await createPresignedPost(client, {
        ...at(key),
        Conditions: [['content-length-range', 1, atMostBytes]],
        Expires: expiresInSeconds,
      });
    },

    signedUrl: (key, expiresInSeconds) =>
      getSignedUrl(client, new GetObjectCommand(at(key)), { expiresIn: expiresInSeconds }),
  };
}

/** An answer to HEAD has no body, and what is missing goes by several names: the status is what tells. */
function isNotFound(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404;
}

/** What a listing says of an object; S3 always says all of it. */
function listed(object: Pick<AnObject, 'Key' | 'Size' | 'LastModified'>): ListedObject {
  const { Key: key = '', Size: sizeBytes = 0, LastModified: modified } = object;
  return { key, sizeBytes, modified: modified?.getTime() ?? 0 };
}

/** @throws Error that names the keys which S3 kept: DeleteObjects answers 200 even if it deleted none */
async function removeAll(
  client: S3Client,
  bucketName: string,
  objects: readonly ObjectIdentifier[],
): Promise<void> {
  const { Errors: errors = [] } = await client.send(
    new DeleteObjectsCommand({ Bucket: bucketName, Delete: { Quiet: true, Objects: [...objects] } }),
  );
  if (errors.length === 0) return;
  const kept = errors.map(({ Key: key, Code: code }) => `${key} (${code})`);
  throw new Error(`S3 did not delete ${kept.join(', ')}`);
}
