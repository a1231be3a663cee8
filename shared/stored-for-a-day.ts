import { collect } from './async-iteration.ts';
import type { Clock } from './clock.ts';
import { SIGNED_URL_SECONDS } from './index-objects.ts';
import type { ObjectStore } from './store/object-store.ts';

/** An index that lies in the bucket for a day at least half of which is left, and a way to it. */
export type StoredForADay = {
  readonly kind: 'stored';
  readonly sizeBytes: number;
  readonly url: () => Promise<string>;
};

type Dependencies = {
  readonly objects: Pick<ObjectStore, 'list' | 'put' | 'signedUrl'>;
  readonly clock: Clock;
};

// The bucket removes it after a day: whoever is sent to it has it for much longer than the URL lives.
const PUT_AGAIN_MS = 12 * 60 * 60 * 1000;

/**
 * Finds an index that was made for an answer before.
 *
 * @param key with the digest of all that decides its bytes
 * @returns undefined if it is to be put, or put again
 */
export async function findForADay(
  { objects, clock }: Dependencies,
  key: string,
): Promise<StoredForADay | undefined> {
  const [there] = await collect(objects.list(key));
  if (there === undefined || clock.now() - there.modified >= PUT_AGAIN_MS) return undefined;
  return answer(objects, key, there.sizeBytes);
}

/** Puts an index under what decides its bytes: whoever else puts one there puts the same. */
export async function putForADay(
  { objects }: Dependencies,
  key: string,
  bytes: Uint8Array,
): Promise<StoredForADay> {
  await objects.put(key, bytes, { contentType: 'application/x-yaml' });
  return answer(objects, key, bytes.length);
}

const answer = (objects: Dependencies['objects'], key: string, sizeBytes: number): StoredForADay => ({
  kind: 'stored',
  sizeBytes,
  url: () => objects.signedUrl(key, SIGNED_URL_SECONDS),
});
