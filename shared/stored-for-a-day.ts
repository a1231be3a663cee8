import { collect } from './async-iteration.ts';
import type { Clock } from './clock.ts';
import { mergedKey } from './domain/object-keys.ts';
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
 * @param digest of all that decides its bytes
 * @returns undefined if it is to be put, or put again
 */
export async function findForADay(
  { objects, clock }: Dependencies,
  digest: string,
): Promise<StoredForADay | undefined> {
  const [there] = await collect(objects.list(mergedKey(digest)));
  if (there === undefined || clock.now() - there.modified >= PUT_AGAIN_MS) return undefined;
  return answer(objects, digest, there.sizeBytes);
}

/** Puts an index under what decides its bytes: whoever else puts one there puts the same. */
export async function putForADay(
  { objects }: Dependencies,
  digest: string,
  bytes: Uint8Array,
): Promise<StoredForADay> {
  await objects.put(mergedKey(digest), bytes, { contentType: 'application/x-yaml' });
  return answer(objects, digest, bytes.length);
}

const answer = (objects: Dependencies['objects'], digest: string, sizeBytes: number): StoredForADay => ({
  kind: 'stored',
  sizeBytes,
  url: () => objects.signedUrl(mergedKey(digest), SIGNED_URL_SECONDS),
});
