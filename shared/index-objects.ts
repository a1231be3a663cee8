// The index and its ranges, side by side in one folder with the lists made from them (shared/domain/object-keys.ts).
export const indexFile = 'index.yaml';
export const rangesFile = 'ranges.json';
/** Beside an index by which what was lost changed: all versions that are not back, if there are any. */
export const lostFile = 'lost.json';

// As long as the URLs of packages: enough for a slow client to begin, useless to whoever finds it later.
export const SIGNED_URL_SECONDS = 300;
/** Of what lies in the folder of an index, which is gone soon after it was replaced (domain/flips.ts). */
export const INDEX_URL_SECONDS = 60;

/** `<sequence>-<id>`, which names a state of an index: a sequence alone could come again after a repair. */
export function indexTag(folder: string): string {
  return folder.split('/').at(-2) ?? '';
}
