import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { aKey, octets } from './objects-contract.ts';
import type { S3, TestUnless } from './s3-contract.ts';

const MIB = 1024 * 1024;

/** Bytes of which no two stretches are alike. */
function someBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let n = 0; n + 4 <= length; n += 4) bytes.writeUInt32LE(Math.imul(n + seed, 2_654_435_761) >>> 0, n);
  return bytes;
}

const checked = { ChecksumAlgorithm: 'CRC32' } as const;

/** As S3 writes it: four bytes, the highest first. */
function checksumOf(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}

/** An upload in parts, numbered in the order in which they are added. */
async function begin({ client, bucketName }: S3, key: string, checks: Partial<typeof checked> = {}) {
  const object = { Bucket: bucketName, Key: key };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...object, ...checks, ContentType: 'application/x-yaml' }),
  );
  const parts: CompletedPart[] = [];
  const add = ({ ETag, ChecksumCRC32 }: CompletedPart = {}) => {
    const told = { ...(ETag && { ETag }), ...(ChecksumCRC32 && { ChecksumCRC32 }) };
    parts.push({ PartNumber: parts.length + 1, ...told });
  };
  const next = () => ({ ...object, UploadId, PartNumber: parts.length + 1 });

  return {
    parts,
    async put(bytes: Uint8Array, told: Partial<typeof checked> | { ChecksumCRC32: string } = checks) {
      add(await client.send(new UploadPartCommand({ ...next(), ...told, Body: bytes })));
    },
    async copy(source: string, first: number, last: number) {
      const path = source.split('/').map(encodeURIComponent).join('/');
      const command = new UploadPartCopyCommand({
        ...next(),
        CopySource: `${bucketName}/${path}`,
        CopySourceRange: `bytes=${first}-${last}`,
      });
      add((await client.send(command)).CopyPartResult);
    },
    complete: (chosen: CompletedPart[] = parts) =>
      client.send(
        new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts: chosen } }),
      ),
    abort: () => client.send(new AbortMultipartUploadCommand({ ...object, UploadId })),
  };
}

/** Uploads in parts, some of them ranges of another object: how a large index changes without being sent. */
export function s3Multipart(open: () => S3, itUnless: TestUnless): void {
  describe('an upload in parts', () => {
    it('splices new bytes between ranges of another object', async () => {
      const old = someBytes(16 * MIB);
      const source = aKey('1-a+b c/index.yaml');
      await open().objects.put(source, old, octets);
      const key = aKey('2-b/index.yaml');
      const upload = await begin(open(), key);
      const fresh = someBytes(5 * MIB, 77);
      await upload.copy(source, 0, 6 * MIB - 1);
      await upload.put(fresh);
      await upload.copy(source, 6 * MIB + 123, 12 * MIB);
      await upload.copy(source, 12 * MIB + 1, 16 * MIB - 1);
      expect(await open().objects.exists(key)).toBe(false);
      expect((await upload.complete()).ETag).toMatch(/-4"$/);
      const wanted = Buffer.concat([
        old.subarray(0, 6 * MIB),
        fresh,
        old.subarray(6 * MIB + 123, 12 * MIB + 1),
        old.subarray(12 * MIB + 1),
      ]);
      expect(Buffer.from((await open().objects.get(key)) ?? []).equals(wanted)).toBe(true);
    });

    it('keeps what it copied though the source is replaced and removed before its end', async () => {
      const old = someBytes(12 * MIB);
      const [source, key] = [aKey('index.yaml'), aKey('index.yaml')];
      await open().objects.put(source, old, octets);
      const upload = await begin(open(), key);
      await upload.copy(source, 0, 6 * MIB - 1);
      await open().objects.put(source, someBytes(12 * MIB, 77), octets);
      await upload.copy(source, 6 * MIB, 12 * MIB - 1);
      await open().objects.remove([source]);
      await upload.complete();
      const wanted = Buffer.concat([old.subarray(0, 6 * MIB), someBytes(12 * MIB, 77).subarray(6 * MIB)]);
      expect(Buffer.from((await open().objects.get(key)) ?? []).equals(wanted)).toBe(true);
    });

    it('is refused a range that the source does not have', async () => {
      const source = aKey();
      await open().objects.put(source, someBytes(1024), octets);
      const upload = await begin(open(), aKey());
      for (const [first, last] of [
        [0, 1024],
        [1024, 1030],
      ] as const) {
        await expect(upload.copy(source, first, last)).rejects.toThrow();
      }
    });

    itUnless('refuses a part that is too small')(
      'is refused with a part below 5 MiB that is not the last',
      async () => {
        const key = aKey();
        const upload = await begin(open(), key);
        await upload.put(someBytes(1024));
        await upload.put(someBytes(1024));
        await expect(upload.complete()).rejects.toMatchObject({ name: 'EntityTooSmall' });
        expect(await open().objects.exists(key)).toBe(false);
      },
    );

    it('is refused with a part that was never sent', async () => {
      const key = aKey();
      const upload = await begin(open(), key);
      await upload.put(someBytes(1024));
      const never = [{ PartNumber: 1, ETag: '"00000000000000000000000000000000"' }];
      await expect(upload.complete(never)).rejects.toMatchObject({ name: 'InvalidPart' });
      expect(await open().objects.exists(key)).toBe(false);
    });

    itUnless('refuses an empty list of parts, and one out of order')(
      'is refused without a part, and with its parts in another order',
      async () => {
        const key = aKey();
        const upload = await begin(open(), key);
        await expect(upload.complete([])).rejects.toMatchObject({ name: 'MalformedXML' });
        await upload.put(someBytes(5 * MIB));
        await upload.put(someBytes(1024));
        const backwards = upload.parts.toReversed();
        await expect(upload.complete(backwards)).rejects.toMatchObject({ name: 'InvalidPartOrder' });
        expect(await open().objects.exists(key)).toBe(false);
      },
    );

    itUnless('tells the checksum of a copied part')(
      'that was begun with checksums answers with that of each part, sent or copied',
      async () => {
        const [old, fresh] = [someBytes(8 * MIB), someBytes(5 * MIB, 77)];
        const [source, key] = [aKey(), aKey()];
        await open().objects.put(source, old, octets);
        const upload = await begin(open(), key, checked);
        await upload.put(fresh);
        await upload.copy(source, 1, 6 * MIB);
        const copied = old.subarray(1, 6 * MIB + 1);
        expect(upload.parts.map((part) => part.ChecksumCRC32)).toEqual([
          checksumOf(fresh),
          checksumOf(copied),
        ]);
        await upload.complete();
        const wanted = Buffer.concat([fresh, copied]);
        expect(Buffer.from((await open().objects.get(key)) ?? []).equals(wanted)).toBe(true);
      },
    );

    itUnless('wants the checksum of each part')(
      'that was begun with checksums is refused without that of a part, when it is sent and at the end',
      async () => {
        const [source, key] = [aKey(), aKey()];
        await open().objects.put(source, someBytes(5 * MIB), octets);
        const upload = await begin(open(), key, checked);
        await expect(upload.put(someBytes(1024), {})).rejects.toMatchObject({ name: 'InvalidRequest' });
        await upload.copy(source, 0, 5 * MIB - 1);
        await upload.put(someBytes(1024));
        const bare = upload.parts.map(({ ChecksumCRC32: _, ...part }) => part);
        for (const chosen of [bare, [...bare.slice(0, 1), ...upload.parts.slice(1)]]) {
          await expect(upload.complete(chosen)).rejects.toMatchObject({
            name: 'InvalidRequest',
            message: expect.stringMatching(/checksum for each part.* missing for part 1/),
          });
        }
        expect(await open().objects.exists(key)).toBe(false);
        await upload.complete();
        expect(await open().objects.exists(key)).toBe(true);
      },
    );

    it('that was begun with checksums is refused another one, when a part is sent and at the end', async () => {
      const key = aKey();
      const other = { ChecksumCRC32: checksumOf(someBytes(1024, 77)) };
      const upload = await begin(open(), key, checked);
      await expect(upload.put(someBytes(1024), other)).rejects.toMatchObject({ name: 'BadDigest' });
      await upload.put(someBytes(1024));
      const chosen = upload.parts.map((part) => ({ ...part, ...other }));
      await expect(upload.complete(chosen)).rejects.toMatchObject({ name: 'InvalidPart' });
      expect(await open().objects.exists(key)).toBe(false);
    });

    it('leaves nothing once it was given up', async () => {
      const key = aKey();
      const upload = await begin(open(), key);
      await upload.put(someBytes(1024));
      await upload.abort();
      await expect(upload.complete()).rejects.toMatchObject({ name: 'NoSuchUpload' });
      expect(await open().objects.exists(key)).toBe(false);
    });
  });
}
