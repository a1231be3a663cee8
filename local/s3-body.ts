import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Refusal } from './sigv4.ts';

export type ReceivedBody = { readonly sizeBytes: number; readonly md5: string };

/** Undoes `aws-chunked`: `<hex size>[;signature]`, the bytes, …, a chunk of size 0, then trailing headers. */
async function* unchunk(source: AsyncIterable<Buffer>, trailers: Map<string, string>): AsyncIterable<Buffer> {
  let buffered: Buffer = Buffer.alloc(0);
  let left = -1; // bytes of the current chunk still to come; -1 when its size line is next, -2 in the trailers
  for await (const piece of source) {
    buffered = Buffer.concat([buffered, piece]);
    while (buffered.length > 0) {
      if (left > 0) {
        const bytes = buffered.subarray(0, left);
        left -= bytes.length;
        buffered = buffered.subarray(bytes.length);
        yield bytes;
        continue;
      }
      const end = buffered.indexOf('\r\n');
      if (end < 0) break;
      const line = buffered.subarray(0, end).toString();
      buffered = buffered.subarray(end + 2);
      if (left === -2) {
        const [name = '', value = ''] = line.split(/:\s*/);
        if (name !== '') trailers.set(name.toLowerCase(), value);
      } else if (left === 0)
        left = -1; // the line feed behind a chunk's bytes
      else left = Number.parseInt(line, 16) || -2;
    }
  }
  if (left !== -2) throw new Refusal(400, 'IncompleteBody', 'The body ended before its last chunk.');
}

const crc32Text = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
};

/** Compares every checksum that came with a body. One that cannot be computed here is refused, not trusted. */
function verify(
  sent: ReadonlyMap<string, string>,
  sums: { md5: Buffer; sha1: Buffer; sha256: Buffer; crc: number },
) {
  const computed: Readonly<Record<string, string>> = {
    'content-md5': sums.md5.toString('base64'),
    'x-amz-checksum-crc32': crc32Text(sums.crc),
    'x-amz-checksum-sha1': sums.sha1.toString('base64'),
    'x-amz-checksum-sha256': sums.sha256.toString('base64'),
  };
  for (const [name, value] of sent) {
    if (name !== 'content-md5' && !/^x-amz-checksum-(?!algorithm|mode|type)/.test(name)) continue;
    if (computed[name] === undefined)
      throw new Refusal(501, 'NotImplemented', `${name} is not implemented here.`);
    if (computed[name] !== value)
      throw new Refusal(400, 'BadDigest', `The ${name} you sent does not match the body.`);
  }
  const hash = sent.get('x-amz-content-sha256') ?? '';
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== sums.sha256.toString('hex')) {
    throw new Refusal(400, 'XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 does not match the body.');
  }
}

/**
 * Streams a request's body into a file and checks it against the checksums in its headers and trailers.
 *
 * @throws Refusal when one does not match; then the file is gone
 */
export async function receiveBody(
  source: AsyncIterable<Buffer>,
  file: string,
  headers: ReadonlyMap<string, string>,
): Promise<ReceivedBody> {
  const sent = new Map(headers);
  // Signatures of single chunks are not checked: the header's signature already tells who sends.
  const chunked = headers.get('x-amz-content-sha256')?.startsWith('STREAMING-');
  const md5 = createHash('md5');
  const sha1 = createHash('sha1');
  const sha256 = createHash('sha256');
  let crc = 0;
  let sizeBytes = 0;
  const handle = await open(file, 'wx');
  try {
    for await (const bytes of chunked ? unchunk(source, sent) : source) {
      for (const hash of [md5, sha1, sha256]) hash.update(bytes);
      crc = crc32(bytes, crc);
      sizeBytes += bytes.length;
      await handle.writeFile(bytes);
    }
    const md5Bytes = md5.digest();
    verify(sent, { md5: md5Bytes, sha1: sha1.digest(), sha256: sha256.digest(), crc });
    return { sizeBytes, md5: md5Bytes.toString('hex') };
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}
