import type { ObjectStore } from '../../shared/store/object-store.ts';
import { type Hook, hooked } from './hook.ts';

export type MemoryObject = {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modified: number;
  readonly versionId: string;
};

type Options = {
  readonly hook?: Hook;
  /** @default real time */
  readonly now?: () => number;
  /** Hears of each change at the instant of it. */
  readonly changed?: (key: string, kind: 'created' | 'removed') => void;
  /** Objects in a page of an iterable. @default 100 */
  readonly pageObjects?: number;
};

/** The bucket in memory, and ways to look into it and to lose objects that are no calls. */
export type MemoryObjects = ObjectStore & {
  readonly objects: ReadonlyMap<string, MemoryObject>;
  lose(key: string): void;
};

/** An object store whose every call changes its state at once, or not at all. Its URLs lead nowhere. */
export function memoryObjects(options: Options = {}): MemoryObjects {
  const { hook, now = Date.now, pageObjects = 100, changed = () => {} } = options;
  const call = hooked('objects', hook);
  const objects = new Map<string, MemoryObject>();
  let puts = 0;

  /** Like a paged listing: what comes behind the reader's place is not seen, what comes before it is. */
  async function* paged(operation: string, prefix: string) {
    let after = '';
    for (;;) {
      const page = await call(operation, () =>
        [...objects]
          .filter(([key]) => key.startsWith(prefix) && key > after)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .slice(0, pageObjects)
          .map(([key, { bytes, modified, versionId }]) => ({
            key,
            sizeBytes: bytes.length,
            modified,
            versionId,
          })),
      );
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < pageObjects) return;
      after = last.key;
    }
  }

  return {
    objects,
    lose: (key) => void objects.delete(key),

    put: (key, bytes, { contentType, metadata = {} }) => {
      const copy = { bytes: new Uint8Array(bytes), contentType, metadata: { ...metadata } };
      return call('put', () => {
        puts += 1;
        objects.set(key, { ...copy, modified: now(), versionId: `version${puts}` });
        changed(key, 'created');
      });
    },

    get: (key, range) =>
      call('get', () => {
        const bytes = objects.get(key)?.bytes;
        return bytes && (range ? bytes.slice(range.offset, range.offset + range.sizeBytes) : bytes.slice());
      }),

    read: (key, { atMostBytes }) =>
      call('read', () => {
        const object = objects.get(key);
        if (object === undefined) return undefined;
        const { bytes, metadata, versionId } = object;
        const said = { metadata, versionId, sizeBytes: bytes.length };
        return bytes.length > atMostBytes ? said : { ...said, bytes: bytes.slice() };
      }),

    copy: (from, to, { contentType, metadata }) =>
      call('copy', () => {
        const object = objects.get(from.key);
        if (object?.versionId !== from.versionId) return false;
        puts += 1;
        const versionId = `version${puts}`;
        objects.set(to, { bytes: object.bytes, contentType, metadata, modified: now(), versionId });
        changed(to, 'created');
        return true;
      }),

    compose: async (key, parts, { contentType }) => {
      const pieces: Uint8Array[] = [];
      for await (const part of parts) {
        const piece = 'from' in part ? undefined : (await part.bytes()).slice();
        const found = await call('compose', () => {
          if (!('from' in part)) return piece;
          return objects.get(part.from)?.bytes.slice(part.offset, part.offset + part.sizeBytes);
        });
        if (found === undefined) return false;
        pieces.push(found);
      }
      const bytes = new Uint8Array(Buffer.concat(pieces));
      await call('compose', () => {
        puts += 1;
        objects.set(key, { bytes, contentType, metadata: {}, modified: now(), versionId: `version${puts}` });
        changed(key, 'created');
      });
      return true;
    },

    head: (key) =>
      call('head', () => {
        const object = objects.get(key);
        return object && { metadata: object.metadata, sizeBytes: object.bytes.length };
      }),

    exists: (key) => call('exists', () => objects.has(key)),

    remove: (keys) =>
      call('remove', () => {
        for (const key of keys) if (objects.delete(key)) changed(key, 'removed');
      }),

    async *list(prefix) {
      for await (const { versionId: _versionId, ...object } of paged('list', prefix)) yield object;
    },

    async *folders(prefix, end, after = '') {
      let last = after;
      for await (const { key } of paged('folders', prefix)) {
        const at = key.indexOf(end, prefix.length);
        const folder = key.slice(0, at + end.length);
        if (at < 0 || folder <= last) continue;
        last = folder;
        yield folder;
      }
    },

    listVersions: (prefix) => paged('listVersions', prefix),

    removeForGood: (removed) =>
      call('removeForGood', () => {
        for (const { key, versionId } of removed) {
          if (objects.get(key)?.versionId !== versionId) continue;
          objects.delete(key);
          changed(key, 'removed');
        }
      }),

    signedPost: (key, { atMostBytes }) =>
      call('signedPost', () => ({
        url: 'https://bucket.invalid/',
        fields: { key, 'most-bytes': String(atMostBytes) },
      })),

    signedUrl: (key, expiresInSeconds) =>
      call('signedUrl', () => {
        const path = key.split('/').map(encodeURIComponent).join('/');
        return `https://bucket.invalid/${path}?expires=${expiresInSeconds}`;
      }),
  };
}
