import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';

/** The body of a request, and what its bytes come to. */
export type Body = {
  /** As they came: to join those of 100 MB would hold everybody up. */
  readonly chunks: readonly Buffer[];
  /** All in one, made for who asks. */
  readonly bytes: Buffer;
  readonly sha256: string;
  readonly md5: string;
  readonly crc32: number;
};

/** Receives a body. The digests grow with it, so that nobody waits for those of 100 MB. */
export async function receive(request: IncomingMessage): Promise<Body> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  const chunks: Buffer[] = [];
  let sum = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    md5.update(chunk);
    sum = crc32(chunk, sum);
    chunks.push(chunk);
  }
  return {
    chunks,
    get bytes() {
      return Buffer.concat(chunks);
    },
    sha256: sha256.digest('hex'),
    md5: md5.digest('hex'),
    crc32: sum,
  };
}
