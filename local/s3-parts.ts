import type { Body } from './body.ts';
import type { StoredObject } from './s3-objects.ts';
import { readXml } from './s3-xml.ts';
import { Refusal } from './sigv4.ts';

/** Bytes that were sent, or those from `start` to `end` of an object that is held on to. */
export type Part = { readonly etag: string; readonly sizeBytes: number; readonly checksum?: string } & (
  | { readonly chunks: readonly Buffer[] }
  | { readonly held: string; readonly start: number; readonly end: number }
);
/** Of what an object's checksum is made, if it has one: of its bytes, or of the checksums of its parts. */
type Checks = 'none' | 'FULL_OBJECT' | 'COMPOSITE';
export type Upload = Pick<StoredObject, 'key' | 'headers'> & {
  readonly checks: Checks;
  readonly parts: Map<string, Part>;
};

type Sent = { readonly headers: ReadonlyMap<string, string>; readonly body: Pick<Body, 'crc32'> };

export const CRC32 = 'x-amz-checksum-crc32';
const MIN_PART_BYTES = 5 * 1024 * 1024;

/** What an upload in parts is begun with; of the algorithms, the one that Node has and our client asks for. */
export function readChecks(headers: ReadonlyMap<string, string>): Checks {
  const algorithm = headers.get('x-amz-checksum-algorithm');
  if (algorithm === undefined) return 'none';
  if (algorithm === 'CRC32') {
    return headers.get('x-amz-checksum-type') === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE';
  }
  throw new Refusal(501, 'NotImplemented', `Checksums by ${algorithm} are not imitated.`);
}

/** A CRC-32 as S3 writes it. */
export function checksumText(sum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}

/**
 * @returns the checksum of a part that was sent
 * @throws Refusal where another was told, or none and it must be
 */
export function checkSent({ checks }: Upload, { headers, body }: Sent): string {
  const [told, checksum] = [headers.get(CRC32), checksumText(body.crc32)];
  if (told === undefined && checks === 'COMPOSITE') {
    const mismatch = 'expected checksum Type: crc32, actual checksum Type: null';
    throw new Refusal(400, 'InvalidRequest', `Checksum Type mismatch occurred, ${mismatch}`);
  }
  if ((told ?? checksum) === checksum) return checksum;
  throw new Refusal(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
}

/**
 * The parts that a CompleteMultipartUpload lists, if they are the ones that were sent.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export function chooseParts({ parts, checks }: Upload, list: string): readonly Part[] {
  const rows = readXml(list, 'Part').map((field) => ({
    number: field('PartNumber'),
    etag: field('ETag')?.replaceAll('"', ''),
    checksum: field('ChecksumCRC32'),
  }));
  if (rows.length === 0 || rows.some(({ number, etag }) => number === undefined || etag === undefined)) {
    const flaw = 'was not well-formed or did not validate against our published schema';
    throw new Refusal(400, 'MalformedXML', `The XML you provided ${flaw}`);
  }
  if (rows.some(({ number }, index) => Number(number) <= Number(rows[index - 1]?.number ?? 0))) {
    throw new Refusal(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  return rows.map(({ number = '', etag, checksum }, index) => {
    if (checksum === undefined && checks === 'COMPOSITE') {
      const rule =
        'The upload was created using a crc32 checksum. The complete request must include the checksum';
      const message = `${rule} for each part. It was missing for part ${number} in the request.`;
      throw new Refusal(400, 'InvalidRequest', message);
    }
    const part = parts.get(number);
    if (part === undefined || part.etag !== etag || (checksum ?? part.checksum) !== part.checksum) {
      throw new Refusal(400, 'InvalidPart', `Part ${number} is not there.`);
    }
    if (part.sizeBytes < MIN_PART_BYTES && index < rows.length - 1) {
      throw new Refusal(400, 'EntityTooSmall', `Part ${number} is too small.`);
    }
    return part;
  });
}
