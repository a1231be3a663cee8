import { createHash } from 'node:crypto';
import type { Branded } from './branded.ts';

/** SHA-256 of some bytes as 64 lower-case hexadecimal digits. */
export type Digest = Branded<'Digest'>;

export function isDigest(text: string): text is Digest {
  return /^[0-9a-f]{64}$/.test(text);
}

export function digestOf(bytes: Uint8Array): Digest {
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (!isDigest(digest)) throw new TypeError('SHA-256 gave no digest');
  return digest;
}
