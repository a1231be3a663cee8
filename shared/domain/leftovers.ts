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
export type IndexFolder = { readonly folder: string; readonly sequence: number; readonly modified: number };

/**
 * The indexes that nobody reads any more, oldest first: what is left must never tell of less than is there.
 *
 * An index is put before it becomes current. So one of sequence n is superseded before the current one is
 * older than the grace, and before any index of sequence n + 2 was begun: whoever began that one had found
 * n + 1 current. Those that a repair needs stay, and so does everything while the current one is lost.
 *
 * @param ahead also those beyond the current one: nobody can make them current any more, but where the
 *   pointer was set back they tell what was lost
 */
export function supersededIndexes<Folder extends IndexFolder>(
  folders: readonly Folder[],
  pointer: {
    readonly folder: string;
    readonly sequence: number;
    readonly shrank: readonly { readonly before: string; readonly after: string }[];
    readonly lost?: string;
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
  const old = folders.filter(({ modified }) => isOld(modified, now));
  const reached = old.filter(({ sequence }) => sequence <= pointer.sequence);
  const newestOld = Math.max(0, ...reached.map(({ sequence }) => sequence));
  const isReplaced = isOld(current.modified, now);
  const superseded = old.filter(({ folder, sequence }) => {
    if (kept.has(folder)) return false;
    if (sequence > pointer.sequence) return ahead;
    return isReplaced || newestOld >= sequence + 2;
  });
  return superseded.sort((a, b) => a.sequence - b.sequence);
}

const isOld = (modified: number, now: number) => now - modified > GRACE_MS;
