import type { ObjectStore } from '../../shared/store/object-store.ts';
import { type Hook, hooked } from './hook.ts';

export type MemoryObject = {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
};

/** The bucket in memory, and a look into it that is no call. */
export type MemoryObjects = ObjectStore & { readonly objects: ReadonlyMap<string, MemoryObject> };

/** An object store whose every call changes its state at once, or not at all. Its URLs lead nowhere. */
export function memoryObjects({ hook }: { readonly hook?: Hook } = {}): MemoryObjects {
  const call = hooked('objects', hook);
  const objects = new Map<string, MemoryObject>();

  return {
    objects,

    put: (key, bytes, { contentType, metadata = {} }) => {
      const copy = { bytes: new Uint8Array(bytes), contentType, metadata: { ...metadata } };
      return call('put', () => void objects.set(key, copy));
    },

    get: (key) =>
      call('get', () => {
        const object = objects.get(key);
        return object && new Uint8Array(object.bytes);
      }),

    exists: (key) => call('exists', () => objects.has(key)),

    remove: (keys) =>
      call('remove', () => {
        for (const key of keys) objects.delete(key);
      }),

    signedUrl: (key, expiresInSeconds) =>
      call('signedUrl', () => {
        const path = key.split('/').map(encodeURIComponent).join('/');
        return `https://bucket.invalid/${path}?expires=${expiresInSeconds}`;
      }),
  };
}
