import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  S3ServiceException,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { eachInParallel } from '../async-iteration.ts';
import type { ObjectPart } from './object-store.ts';

// Copies need the time that S3 takes and nothing else; of parts that are sent, so many are in memory.
const PARTS_AT_ONCE = 8;

/** {@link ObjectStore.compose} by a multipart upload. */
export async function composeObject(
  client: S3Client,
  bucketName: string,
  {
    key,
    parts,
    contentType,
  }: { readonly key: string; readonly parts: AsyncIterable<ObjectPart>; readonly contentType: string },
): Promise<boolean> {
  const object = { Bucket: bucketName, Key: key };
  // S3 takes a checksum of a part only where the upload was begun with the same, and then of every part. It makes those
  // of the copies itself.
  const checked = { ChecksumAlgorithm: 'CRC32' } as const;
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...object, ...checked, ContentType: contentType }),
  );
  const upload = { ...object, UploadId };

  async function put(part: ObjectPart, PartNumber: number): Promise<CompletedPart> {
    const place = { ...upload, PartNumber };
    const { ETag, ChecksumCRC32 } =
      'from' in part
        ? ((await client.send(new UploadPartCopyCommand({ ...place, ...rangeOf(bucketName, part) })))
            .CopyPartResult ?? {})
        : await client.send(new UploadPartCommand({ ...place, ...checked, Body: await part.bytes() }));
    return { PartNumber, ...(ETag && { ETag }), ...(ChecksumCRC32 && { ChecksumCRC32 }) };
  }

  try {
    const completed: CompletedPart[] = [];
    await eachInParallel(
      parts,
      async (part, position) => {
        completed[position] = await put(part, position + 1);
      },
      PARTS_AT_ONCE,
    );
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: completed } }),
    );
    return true;
  } catch (error) {
    // What is left of it if this fails too, the bucket removes a day later.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    if (isSourceMissing(error)) return false;
    throw error;
  }
}

/** An object as the source of a copy. */
export function copySource(bucketName: string, key: string): string {
  return `${bucketName}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

function rangeOf(bucketName: string, { from, offset, sizeBytes }: Extract<ObjectPart, { from: string }>) {
  return {
    CopySource: copySource(bucketName, from),
    CopySourceRange: `bytes=${offset}-${offset + sizeBytes - 1}`,
  };
}

/** An upload that is gone is a 404 too, by another name. */
const isSourceMissing = (error: unknown) => error instanceof S3ServiceException && error.name === 'NoSuchKey';
