import { type Flip, settledSequence } from './flips.ts';
import { filesKey } from './object-keys.ts';

/**
 * What may be removed from the bucket. Whatever errs, errs towards keeping: what is removed here was named
 * by nobody for longer than anything that could still name or read it.
 */

/**
 * Longer than any reservation (60 s), signed URL (5 min) or function (15 min), in milliseconds: who put an
 * object before that will not name it any more, and who was sent to it has fetched it.
 */
export const GRACE_MS = 60 * 60 * 1000;

type Listed = { readonly key: string; readonly modified: number };

/** What a version's item says of objects. */
type Naming = {
  readonly live?: { readonly key: string };
  readonly pending?: { readonly key: string; readonly provenance?: { readonly key: string } };
  readonly provenance?: { readonly key: string };
};

/** The keys that the items name: packages, their chart files, provenance files. */
export function namedKeys(items: readonly Naming[]): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const { live, pending, provenance } of items) {
    for (const each of [live, pending]) if (each) keys.add(each.key).add(filesKey(each.key));
    for (const each of [pending?.provenance, provenance]) if (each) keys.add(each.key);
  }
  return keys;
}

// What Chartroom calls packages, provenance files and chart files (object-keys.ts).
const ours = /\/[0-9a-f]{64}-[^/]+\.(tgz|tgz\.prov|json\.gz)$/;

/** The objects that no item names, and that nobody can be about to name. What is not ours is not looked at. */
export function unnamedObjects<Object extends Listed>(
  objects: readonly Object[],
  items: readonly Naming[],
  now: number,
): Object[] {
  const named = namedKeys(items);
  return objects.filter(({ key, modified }) => ours.test(key) && !named.has(key) && isOld(modified, now));
}

/** An index in the bucket: its folder and when the last of its objects was put. */
export type IndexFolder = {
  readonly folder: string;
  readonly sequence: number;
  /** Whether it was begun while there was no pointer. */
  readonly isFirst: boolean;
  readonly modified: number;
};

/**
 * The indexes that nobody reads any more, oldest first: what is left must never tell of less than is there.
 *
 * Where index s has been current for REPLACED_KEPT_MS, or was, each one before it was replaced longer ago, or never
 * was current. It will not be either: it could only take the place of the one that it was made from, and that one is
 * past, since a folder never becomes current twice. One that was begun without a pointer could take the place of
 * none, so it stays until its maker has ended. Of the number of the current one all others were never current; of
 * the number of any other, nothing tells which one was, so they go with it.
 *
 * Those that a repair needs stay, and so does everything while the current one is lost. And while that was begun
 * without a pointer, those before it stay for the grace: they tell that a pointer was lost.
 *
 * @param ahead also those beyond the current one: nobody can make them current any more after the grace, but where
 *   the pointer was set back they tell what was lost
 */
export function supersededIndexes<Folder extends IndexFolder>(
  folders: readonly Folder[],
  pointer: {
    readonly folder: string;
    readonly sequence: number;
    readonly shrank: readonly { readonly before: string; readonly after: string }[];
    readonly lost?: string;
    readonly flips: readonly Flip[];
  },
  now: number,
  { ahead }: { readonly ahead: boolean },
): Folder[] {
  const kept = new Set([
    pointer.folder,
    pointer.lost,
    ...pointer.shrank.flatMap(({ before, after }) => [before, after]),
  ]);
  const current = folders.find(({ folder }) => folder === pointer.folder);
  if (current === undefined) return [];
  const settled = settledBy(current, pointer.flips, now);
  const superseded = folders.filter(({ folder, sequence, isFirst, modified }) => {
    if (kept.has(folder)) return false;
    if (sequence > pointer.sequence) return ahead && isOld(modified, now);
    if (isFirst && !isOld(modified, now)) return false;
    return sequence < settled || (sequence === settled && sequence === pointer.sequence);
  });
  return superseded.sort((a, b) => a.sequence - b.sequence);
}

function settledBy(current: IndexFolder, flips: readonly Flip[], now: number): number {
  // It became current right after it was put, at most as long after it as a function runs.
  if (isOld(current.modified, now)) return current.sequence;
  return current.isFirst ? 0 : settledSequence(flips, now);
}

const isOld = (modified: number, now: number) => now - modified > GRACE_MS;
