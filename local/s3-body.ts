import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { Refusal } from './sigv4.ts';

const hash = (algorithm: string) => (bytes: Buffer) => createHash(algorithm).update(bytes).digest('base64');

function crc32Text(bytes: Buffer): string {
  const text = Buffer.alloc(4);
  text.writeUInt32BE(crc32(bytes));
  return text.toString('base64');
}

const CHECKSUMS: Readonly<Record<string, (bytes: Buffer) => string>> = {
  'content-md5': hash('md5'),
  'x-amz-checksum-crc32': crc32Text,
  'x-amz-checksum-sha1': hash('sha1'),
  'x-amz-checksum-sha256': hash('sha256'),
};

/** Undoes `aws-chunked`: `<hex size>[;signature]`, the bytes, …, a chunk of size 0, then trailing headers. */
function unchunk(body: Buffer, headers: Map<string, string>): Buffer {
  const chunks: Buffer[] = [];
  let at = 0;
  const nextLine = () => {
    const end = body.indexOf('\r\n', at);
    if (end < 0) throw new Refusal(400, 'IncompleteBody', 'The body ended before its last chunk.');
    const line = body.toString('latin1', at, end);
    at = end + 2;
    return line;
  };
  for (let size = Number.parseInt(nextLine(), 16); size > 0; size = Number.parseInt(nextLine(), 16)) {
    chunks.push(body.subarray(at, at + size));
    at += size + 2;
  }
  for (let line = nextLine(); line !== ''; line = nextLine()) {
    const [name = '', value = ''] = line.split(/:\s*/);
    headers.set(name.toLowerCase(), value);
  }
  return Buffer.concat(chunks);
}

/**
 * Reads a body and checks it against the checksums in its headers and trailers. It is held in memory: charts
 * and indexes are far smaller than what S3 allows.
 *
 * @throws Refusal for one that differs, and for one that cannot be computed here
 */
export async function readChecked(
  source: NodeJS.ReadableStream,
  headers: ReadonlyMap<string, string>,
): Promise<Buffer> {
  const sent = new Map(headers);
  const contentHash = headers.get('x-amz-content-sha256') ?? '';
  const received = await buffer(source);
  // Signatures of single chunks are not checked: the header's signature already tells who sends.
  const bytes = contentHash.startsWith('STREAMING-') ? unchunk(received, sent) : received;
  for (const [name, value] of sent) {
    if (name !== 'content-md5' && !/^x-amz-checksum-(?!algorithm|mode|type)/.test(name)) continue;
    const checksum = CHECKSUMS[name];
    if (checksum === undefined) throw new Refusal(501, 'NotImplemented', `${name} is not implemented here.`);
    if (checksum(bytes) !== value)
      throw new Refusal(400, 'BadDigest', `The ${name} does not match the body.`);
  }
  const isHash = /^[0-9a-f]{64}$/.test(contentHash);
  if (isHash && Buffer.from(contentHash, 'hex').toString('base64') !== hash('sha256')(bytes)) {
    throw new Refusal(400, 'XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 does not match the body.');
  }
  return bytes;
}
