import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
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
  let sizeBytes = 0;

  async function send(part: ObjectPart, place: typeof upload & { PartNumber: number }) {
    if ('from' in part) {
      sizeBytes += part.sizeBytes;
      const copy = new UploadPartCopyCommand({ ...place, ...rangeOf(bucketName, part) });
      return (await client.send(copy).catch(throwSourceLost)).CopyPartResult ?? {};
    }
    const bytes = await part.bytes();
    sizeBytes += bytes.length;
    return await client.send(new UploadPartCommand({ ...place, ...checked, Body: bytes }));
  }

  async function put(part: ObjectPart, PartNumber: number): Promise<CompletedPart> {
    const { ETag, ChecksumCRC32 } = await send(part, { ...upload, PartNumber });
    return { PartNumber, ...(ETag && { ETag }), ...(ChecksumCRC32 && { ChecksumCRC32 }) };
  }

  async function complete(parts: CompletedPart[]): Promise<void> {
    try {
      await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: parts } }));
    } catch (error) {
      // Where the first answer was lost, the client asks again for an upload that is done.
      if (!isOfS3(error, 'NoSuchUpload')) throw error;
      const there = await client.send(new HeadObjectCommand(object)).catch(() => undefined);
      if (there?.ContentLength !== sizeBytes) throw error;
    }
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
    await complete(completed);
    return true;
  } catch (error) {
    // What is left of it if this fails too, the bucket removes a day later.
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
    if (error instanceof SourceLost) return false;
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

const isOfS3 = (error: unknown, name: string) => error instanceof S3ServiceException && error.name === name;

class SourceLost extends Error {}

/**
 * S3 tells who may not list there that it refuses, of an object that is gone. It is no harm to take a lost permission for
 * that: then a caller makes the object without copies, or is refused that too.
 */
function throwSourceLost(error: unknown): never {
  const isLost = isOfS3(error, 'NoSuchKey') || isOfS3(error, 'AccessDenied');
  throw isLost ? new SourceLost('what is copied is not there any more', { cause: error }) : error;
}
