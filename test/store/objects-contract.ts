import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { collect, inParallel } from '../../shared/async-iteration.ts';
import type { ObjectPart, ObjectStore } from '../../shared/store/object-store.ts';

export const octets = { contentType: 'application/octet-stream' };

export const aKey = (end = 'redis-1.0.0.tgz') => `charts/${randomUUID()}/-/${end}`;

export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

/** Keys that a URL, a signature or a file system would treat specially. */
export const oddKeys = [
  '__proto__/1.0.0/x.tgz',
  'a+b/1.0.0+build.5.tgz',
  'with space/and  two.tgz',
  '100%/%2B%2F.tgz',
  "quote'(paren)!*~.tgz",
  'ques?tion&am=p;hash#.tgz',
  'colon:at@dollar$comma,.tgz',
  'é/ü/中文/🚢.tgz',
  'back\\slash|pipe^tick`[brace]{curly}"double<angle>',
  'UPPER/lower/a.tgz',
  `long/${'n'.repeat(250)}/${'v'.repeat(128)}/${'d'.repeat(120)}.tgz.prov`,
];

const keysOf = async (objects: AsyncIterable<{ key: string }>) =>
  (await collect(objects)).map(({ key }) => key);

/** What every object store promises. */
export function objectsContract(open: () => ObjectStore): void {
  describe('objects', () => {
    it('come back byte for byte', async () => {
      const key = aKey();
      const bytes = Uint8Array.from({ length: 256 * 1024 }, (_, n) => (n * 7919) % 256);
      await open().put(key, bytes, { ...octets, metadata: { repository: 'a/b', version: '1.0.0+build.5' } });
      expect(Buffer.from((await open().get(key)) ?? []).equals(bytes)).toBe(true);
      expect(await open().exists(key)).toBe(true);
    });

    it('may be empty', async () => {
      const key = aKey();
      await open().put(key, new Uint8Array(), octets);
      expect(await open().get(key)).toHaveLength(0);
      expect(await open().exists(key)).toBe(true);
    });

    it('are undefined where there is none', async () => {
      const key = aKey();
      expect(await open().get(key)).toBeUndefined();
      expect(await open().exists(key)).toBe(false);
    });

    it('are not what lies below or above them', async () => {
      const key = aKey('a/b');
      await open().put(key, bytesOf('b'), octets);
      for (const other of [key.slice(0, -2), key.slice(0, -1), `${key}/c`, `${key}/`]) {
        expect(await open().exists(other)).toBe(false);
        expect(await open().get(other)).toBeUndefined();
      }
    });

    it('may stand beside objects whose keys go on from theirs', async () => {
      const key = aKey('a');
      await open().put(key, bytesOf('short'), octets);
      await open().put(`${key}/b`, bytesOf('long'), octets);
      await open().remove([key]);
      expect(await open().exists(key)).toBe(false);
      expect(await open().get(`${key}/b`)).toEqual(bytesOf('long'));
    });

    it('are replaced by a second put', async () => {
      const key = aKey();
      await open().put(key, bytesOf('a long first content'), octets);
      await open().put(key, bytesOf('second'), octets);
      expect(await open().get(key)).toEqual(bytesOf('second'));
    });

    it('are removed, one or many, and those that are not there are fine', async () => {
      const [one, two, three, none] = [aKey(), aKey('a+b c'), aKey('é'), aKey()];
      for (const key of [one, two, three]) await open().put(key, bytesOf('x'), octets);
      await open().remove([]);
      await open().remove([one]);
      await open().remove([one]);
      expect([await open().exists(one), await open().exists(two)]).toEqual([false, true]);
      await open().remove([none, two, three]);
      for (const key of [two, three]) expect(await open().exists(key)).toBe(false);
    });

    it('are removed 1,000 at once', async () => {
      const folder = aKey('many');
      const keys = Array.from({ length: 1_000 }, (_, n) => `${folder}/${n}`);
      const there = keys.filter((_, n) => n % 100 === 0);
      for (const key of there) await open().put(key, bytesOf('x'), octets);
      await open().remove(keys);
      for (const key of there) expect(await open().exists(key)).toBe(false);
    });

    it.each(oddKeys)('may be called %s', async (end) => {
      const key = aKey(end);
      await open().put(key, bytesOf(end), octets);
      expect(await open().get(key)).toEqual(bytesOf(end));
      await open().remove([key, aKey()]);
      expect(await open().exists(key)).toBe(false);
    });

    it('are called by keys that differ in letter case or Unicode form alone', async () => {
      const folder = aKey('same');
      const keys = ['é', 'e\u0301', 'É', 'E', 'e'].map((end) => `${folder}/${end}`);
      for (const key of keys) await open().put(key, bytesOf(key), octets);
      for (const key of keys) expect(await open().get(key)).toEqual(bytesOf(key));
    });

    it('give a range of their bytes', async () => {
      const key = aKey();
      await open().put(key, bytesOf('0123456789'), octets);
      expect(await open().get(key, { offset: 3, sizeBytes: 4 })).toEqual(bytesOf('3456'));
      expect(await open().get(aKey(), { offset: 3, sizeBytes: 4 })).toBeUndefined();
    });

    it('tell their size and metadata without their bytes', async () => {
      const key = aKey();
      const metadata = { created: '2026-01-02T03:04:05.678Z', version: '1.0.0+build.5' };
      await open().put(key, bytesOf('0123456789'), { ...octets, metadata });
      expect(await open().head(key)).toEqual({ metadata, sizeBytes: 10 });
      expect(await open().head(aKey())).toBeUndefined();
    });
  });

  describe('composed objects', () => {
    const MIB = 1024 * 1024;
    const some = (sizeBytes: number, seed: number) =>
      Buffer.alloc(sizeBytes, createHash('sha512').update(String(seed)).digest());
    async function* partsOf(...parts: ObjectPart[]): AsyncGenerator<ObjectPart> {
      yield* parts;
    }
    const sent = (bytes: Uint8Array) => ({ bytes: async () => bytes });

    it('are bytes and ranges of others, in the order of the parts', async () => {
      const [from, key] = [aKey('1-a+b c/index.yaml'), aKey('2/index.yaml')];
      const [old, fresh, tail] = [some(11 * MIB + 3, 1), some(5 * MIB, 2), bytesOf('tail')];
      await open().put(from, old, octets);
      const half = 5 * MIB + 1;
      const parts = partsOf(
        { from, offset: 7, sizeBytes: half },
        sent(fresh),
        { from, offset: half + 7, sizeBytes: old.length - half - 7 },
        sent(tail),
      );
      expect(await open().compose(key, parts, { contentType: 'application/x-yaml' })).toBe(true);
      const wanted = Buffer.concat([old.subarray(7), tail]);
      const composed = Buffer.from((await open().get(key)) ?? []);
      expect(composed.length).toBe(wanted.length + fresh.length);
      expect(composed.equals(Buffer.concat([old.subarray(7, 7 + half), fresh, wanted.subarray(half)]))).toBe(
        true,
      );
    });

    it('may have more parts than are under way at once', async () => {
      const key = aKey();
      const pieces = Array.from({ length: 12 }, (_, n) => some(5 * MIB, n));
      expect(await open().compose(key, partsOf(...pieces.map(sent)), octets)).toBe(true);
      expect(Buffer.from((await open().get(key)) ?? []).equals(Buffer.concat(pieces))).toBe(true);
    });

    it('are not there where an object that they are of is not', async () => {
      const key = aKey();
      const missing = { from: aKey(), offset: 0, sizeBytes: 1 };
      expect(await open().compose(key, partsOf(sent(some(5 * MIB, 1)), missing), octets)).toBe(false);
      expect(await open().exists(key)).toBe(false);
    });

    it('are not there where a part of them could not be read', async () => {
      const key = aKey();
      const broken = { bytes: () => Promise.reject(new Error('it is broken')) };
      const composing = open().compose(key, partsOf(sent(some(5 * MIB, 1)), broken), octets);
      await expect(composing).rejects.toThrow('it is broken');
      expect(await open().exists(key)).toBe(false);
    });
  });

  describe('listings', () => {
    it('give the objects below a prefix in order, with their sizes and when they were put', async () => {
      const folder = aKey('list');
      const before = Date.now();
      for (const [n, end] of ['/b', '/a+b/c d', '/ä', '/a', 'beside'].entries()) {
        await open().put(`${folder}${end}`, new Uint8Array(n), octets);
      }
      const listed = await collect(open().list(`${folder}/`));
      expect(listed.map(({ key, sizeBytes }) => [key.slice(folder.length), sizeBytes])).toEqual([
        ['/a', 3],
        ['/a+b/c d', 1],
        ['/b', 0],
        ['/ä', 2],
      ]);
      // S3 tells whole seconds in some answers.
      for (const { modified } of listed) expect(modified).toBeGreaterThan(before - 2_000);
      expect(await collect(open().list(aKey('none/')))).toEqual([]);
    });

    it('give what keys have in common, once each, after a given one', async () => {
      const folder = aKey('common');
      for (const end of ['/-/x', '/a/-/x', '/a/-/y', '/a/b/-/-/x', '/b/-/x', '/loose']) {
        await open().put(`${folder}${end}`, new Uint8Array(), octets);
      }
      const all = ['/-/', '/a/-/', '/a/b/-/', '/b/-/'].map((end) => `${folder}${end}`);
      expect(await collect(open().folders(folder, '/-/'))).toEqual(all);
      expect(await collect(open().folders(folder, '/-/', all[1]))).toEqual(all.slice(2));
      expect(await collect(open().folders(aKey('none'), '/-/'))).toEqual([]);
    });

    it('are read with what is said of them, up to a size', async () => {
      const key = aKey();
      const metadata = { created: '2026-01-02T03:04:05Z' };
      await open().put(key, bytesOf('first'), octets);
      const first = await open().read(key, { atMostBytes: 5 });
      await open().put(key, bytesOf('second'), { ...octets, metadata });
      const second = await open().read(key, { atMostBytes: 5 });
      expect(first).toMatchObject({ metadata: {}, sizeBytes: 5 });
      expect(Buffer.from(first?.bytes ?? '').toString()).toBe('first');
      expect(second).toEqual({ metadata, sizeBytes: 6, versionId: expect.any(String) });
      expect(second?.versionId).not.toBe(first?.versionId);
      expect(await open().read(aKey(), { atMostBytes: 5 })).toBeUndefined();
    });

    it.each(oddKeys)('are copied from and to %s', async (end) => {
      const [from, to] = [aKey(end), aKey(end)];
      await open().put(from, bytesOf('x'), { ...octets, metadata: { old: '1' } });
      const { versionId = '' } = (await open().read(from, { atMostBytes: 1 })) ?? {};
      const options = { ...octets, metadata: { code: 'invalid_package' } };
      expect(await open().copy({ key: from, versionId }, to, options)).toBe(true);
      expect(await open().head(to)).toEqual({ metadata: { code: 'invalid_package' }, sizeBytes: 1 });
      expect(await open().exists(from)).toBe(true);
    });

    it('are not copied once they are gone', async () => {
      const key = aKey();
      await open().put(key, bytesOf('x'), octets);
      const [put] = await collect(open().listVersions(key));
      if (put === undefined) throw new Error('not listed');
      await open().removeForGood([put]);
      expect(await open().copy(put, aKey(), { ...octets, metadata: {} })).toBe(false);
    });

    it('name what can be removed for good', async () => {
      const folder = aKey('good/');
      for (const end of ['a', 'b', 'c']) await open().put(`${folder}${end}`, bytesOf(end), octets);
      const [a, b] = await collect(open().listVersions(folder));
      if (a === undefined || b === undefined) throw new Error('not listed');
      await open().removeForGood([]);
      await open().removeForGood([a, { key: b.key, versionId: a.versionId }]);
      expect(await keysOf(open().listVersions(folder))).toEqual([`${folder}b`, `${folder}c`]);
      await open().removeForGood([a]);
      expect(await open().exists(a.key)).toBe(false);
    });
  });
}

/** Listings of more than S3 gives at once. */
export function pagesContract(open: () => ObjectStore): void {
  describe('listings', () => {
    it('go beyond a page', async () => {
      const folder = aKey('many/');
      const keys = Array.from({ length: 1_003 }, (_, n) => `${folder}${String(n).padStart(4, '0')}`);
      await inParallel(keys, (key) => open().put(key, new Uint8Array(), octets));
      expect(await keysOf(open().list(folder))).toEqual(keys);
      expect(await keysOf(open().listVersions(folder))).toEqual(keys);
    });
  });
}
