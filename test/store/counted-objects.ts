import type { ObjectPart, ObjectStore } from '../../shared/store/object-store.ts';

/** A bucket, with each call to it, and how many bytes go to it, come from it, and are copied inside it. */
export function countedObjects(objects: ObjectStore) {
  const bytes = { got: 0, put: 0, sent: 0, copied: 0, largestPart: 0 };
  const calls: string[] = [];
  const note = (operation: string, key: string) =>
    void calls.push(`${operation} ${key.slice(key.lastIndexOf('/') + 1)}`);

  async function* parts(of: AsyncIterable<ObjectPart>): AsyncGenerator<ObjectPart> {
    for await (const part of of) {
      if ('from' in part) {
        bytes.copied += part.sizeBytes;
        note('copy', part.from);
        yield part;
        continue;
      }
      const sent = await part.bytes();
      bytes.sent += sent.length;
      bytes.largestPart = Math.max(bytes.largestPart, sent.length);
      note('send', '');
      yield { bytes: async () => sent };
    }
  }
  const counting: ObjectStore = {
    ...objects,
    get: async (key, range) => {
      const found = await objects.get(key, range);
      bytes.got += found?.length ?? 0;
      note(range === undefined ? 'get' : 'get of', key);
      return found;
    },
    put: async (key, put, options) => {
      bytes.put += put.length;
      note('put', key);
      await objects.put(key, put, options);
    },
    head: (key) => {
      note('head', key);
      return objects.head(key);
    },
    list: (prefix) => {
      note('list', '');
      return objects.list(prefix);
    },
    compose: (key, of, options) => {
      note('compose', key);
      return objects.compose(key, parts(of), options);
    },
  };
  return { objects: counting, bytes, calls };
}
