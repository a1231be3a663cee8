import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { aKey } from './objects-contract.ts';
import type { S3 } from './s3-contract.ts';

/** Puts an object. @returns its version */
async function putVersion({ client, bucketName }: S3, key: string, text = key): Promise<string> {
  const command = new PutObjectCommand({ Bucket: bucketName, Key: key, Body: text });
  return (await client.send(command)).VersionId ?? '';
}

/** Rows of all pages, each page of two at most, in the order in which they came. */
async function listAll({ client, bucketName }: S3, folder: string) {
  const pages: (string | undefined)[][] = [];
  let token: string | undefined;
  do {
    const answer = await client.send(
      new ListObjectsV2Command({
        Bucket: bucketName,
        Prefix: folder,
        Delimiter: '/',
        MaxKeys: 2,
        ...(token !== undefined && { ContinuationToken: token }),
      }),
    );
    const { Contents = [], CommonPrefixes = [], KeyCount, NextContinuationToken } = answer;
    const rows = [...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix)];
    expect(KeyCount).toBe(rows.length);
    pages.push(rows.toSorted());
    token = NextContinuationToken;
  } while (token !== undefined);
  return pages.map((rows) => rows.map((row) => row?.slice(folder.length)));
}

async function listVersions({ client, bucketName }: S3, folder: string, MaxKeys = 1000) {
  const found: { key: string; id: string | undefined; latest: boolean | undefined; modified: boolean }[] = [];
  let KeyMarker: string | undefined;
  let VersionIdMarker: string | undefined;
  do {
    const markers = { ...(KeyMarker && { KeyMarker }), ...(VersionIdMarker && { VersionIdMarker }) };
    const answer = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucketName, Prefix: folder, MaxKeys, ...markers }),
    );
    for (const { Key: key = '', VersionId: id, IsLatest: latest, LastModified } of answer.Versions ?? []) {
      found.push({ key, id, latest, modified: LastModified instanceof Date });
    }
    KeyMarker = answer.NextKeyMarker;
    VersionIdMarker = answer.NextVersionIdMarker;
  } while (KeyMarker !== undefined);
  return found;
}

/** Listings and the versions of objects: what a sweep of objects that nothing names stands on. */
export function s3Versions(open: () => S3): void {
  it('lists keys in order, those behind a delimiter as one row, page by page', async () => {
    const folder = aKey('');
    for (const end of ['1/x', '1/y', '2', '3/x', '3/y', '4']) await putVersion(open(), `${folder}${end}`);
    expect(await listAll(open(), folder)).toEqual([
      ['1/', '2'],
      ['3/', '4'],
    ]);
  });

  describe('a version', () => {
    it('is told to who puts and to who asks, and is another after an overwrite', async () => {
      const key = aKey();
      const first = await putVersion(open(), key);
      const second = await putVersion(open(), key, 'new');
      expect(first).toMatch(/./);
      expect(second).not.toBe(first);
      const head = new HeadObjectCommand({ Bucket: open().bucketName, Key: key });
      expect((await open().client.send(head)).VersionId).toBe(second);
    });

    it('is listed with its object, page by page', async () => {
      const folder = aKey('');
      const keys = ['a', 'b<&>', 'c', 'd/e', 'f'].map((end) => `${folder}${end}`);
      const wanted = [];
      for (const key of keys) {
        wanted.push({ key, id: await putVersion(open(), key), latest: true, modified: true });
      }
      await putVersion(open(), aKey());
      expect(await listVersions(open(), folder)).toEqual(wanted);
      expect(await listVersions(open(), folder, 2)).toEqual(wanted);
    });

    it('can be deleted for good, alone or together with others', async () => {
      const { client, bucketName, objects } = open();
      const folder = aKey('');
      const Objects = [];
      for (const end of ['a', 'b+ c', 'd']) {
        Objects.push({ Key: `${folder}${end}`, VersionId: await putVersion(open(), `${folder}${end}`) });
      }
      const [alone, ...others] = Objects;
      const deleted = await client.send(
        new DeleteObjectCommand({ Bucket: bucketName, Key: `${folder}a`, ...alone }),
      );
      expect(deleted.VersionId).toBe(alone?.VersionId);
      const command = new DeleteObjectsCommand({ Bucket: bucketName, Delete: { Objects: others } });
      expect((await client.send(command)).Deleted).toMatchObject(others);
      for (const { Key } of Objects) expect(await objects.exists(Key)).toBe(false);
      expect(await listVersions(open(), folder)).toEqual([]);
    });

    it('that was overwritten takes nothing with it when it is deleted', async () => {
      const { client, bucketName, objects } = open();
      const key = aKey();
      const old = { Key: key, VersionId: await putVersion(open(), key, 'old') };
      await putVersion(open(), key, 'new');
      await client.send(new DeleteObjectCommand({ Bucket: bucketName, ...old }));
      await client.send(new DeleteObjectsCommand({ Bucket: bucketName, Delete: { Objects: [old] } }));
      expect(Buffer.from((await objects.get(key)) ?? []).toString()).toBe('new');
    });
  });

  it('puts only where there is nothing, when asked to', async () => {
    const key = aKey();
    const put = (Body: string) =>
      open().client.send(
        new PutObjectCommand({ Bucket: open().bucketName, Key: key, Body, IfNoneMatch: '*' }),
      );
    await put('first');
    await expect(put('second')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(Buffer.from((await open().objects.get(key)) ?? []).toString()).toBe('first');
  });
}
