import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

const assembly = writeAssembly({
  functions: {},
  resources: {
    Files: { Type: 'AWS::S3::Bucket' },
    Events: { Type: 'AWS::SQS::Queue' },
    Items: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      },
    },
  },
});

/** A data folder in which a stack has kept some objects; it has stopped. */
async function aDataFolder(...keys: readonly string[]) {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-damage-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const bucket = path.join(dataDir, 's3/files');
  const blobs = path.join(bucket, 'blobs');
  const journal = path.join(bucket, 'journal.jsonl');
  const first = await run(dataDir);
  for (const key of keys) await first.put(key, key);
  await first.stop();
  const blobOf = (key: string) => {
    const line = readFileSync(journal, 'utf8')
      .split('\n')
      .find((each) => each.includes(`"key":"${key}"`));
    return path.join(blobs, (JSON.parse(line ?? '') as { put: { blob: string } }).put.blob);
  };
  return { dataDir, table: path.join(dataDir, 'dynamodb'), journal, blobs, blobOf };
}

async function run(dataDir: string) {
  const stack = await startLocal({ dataDir, assembly });
  onTestFinished(() => stack.stop());
  const { region, credentials, endpoints } = stack.clientConfig;
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, maxAttempts: 1 });
  const Bucket = stack.bucketName;
  return {
    stop: () => stack.stop(),
    put: (Key: string, Body: string) => s3.send(new PutObjectCommand({ Bucket, Key, Body })),
    remove: (Key: string) => s3.send(new DeleteObjectCommand({ Bucket, Key })),
    read: async (Key: string) =>
      await (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString(),
    page: async (MaxKeys = 1000) => {
      const list = new ListObjectsV2Command({ Bucket, MaxKeys });
      const { Contents = [], IsTruncated } = await s3.send(list);
      return { keys: Contents.map(({ Key }) => Key), more: IsTruncated };
    },
  };
}

describe('a start over files that are damaged', () => {
  it('refuses without the journal of the bucket, and leaves the blobs alone', async () => {
    const { dataDir, journal, blobs } = await aDataFolder('a', 'b');
    const before = readdirSync(blobs);
    rmSync(journal);
    for (const _ of ['once', 'again']) await expect(run(dataDir)).rejects.toThrow(`${journal} is missing`);
    expect(readdirSync(blobs)).toEqual(before);
  });

  it('refuses a line that cannot be read, and names it', async () => {
    const { dataDir, journal } = await aDataFolder('a', 'b', 'c');
    const [a, b = '', c] = readFileSync(journal, 'utf8').split('\n');
    for (const damaged of [b.slice(0, 50), 'null', '{}', '{"put":{}}']) {
      const text = [a, damaged, c, ''].join('\n');
      writeFileSync(journal, text);
      await expect(run(dataDir)).rejects.toThrow(`${journal}, line 2`);
      expect(readFileSync(journal, 'utf8')).toBe(text);
    }
    writeFileSync(journal, [a, b, c?.slice(0, 50)].join('\n')); // what a kill leaves
    expect(await (await run(dataDir)).page()).toMatchObject({ keys: ['a', 'b'] });
  });

  it('refuses a queue’s line that cannot be read', async () => {
    const { dataDir } = await aDataFolder();
    const file = path.join(dataDir, 'queues/Events.jsonl');
    appendFileSync(file, '{"put":\n');
    await expect(run(dataDir)).rejects.toThrow(`${file}, line 1`);
  });

  it('refuses a table without CURRENT or what that names, and leaves its files alone', async () => {
    const { dataDir, table } = await aDataFolder('a');
    const current = readFileSync(path.join(table, 'CURRENT'), 'utf8');
    rmSync(path.join(table, 'CURRENT'));
    const before = readdirSync(table);
    await expect(run(dataDir)).rejects.toThrow(`echo ${current.trim()} > ${path.join(table, 'CURRENT')}`);
    expect(readdirSync(table)).toEqual(before);
    writeFileSync(path.join(table, 'CURRENT'), current);
    const manifest = path.join(table, current.trim());
    renameSync(manifest, path.join(dataDir, 'aside'));
    await expect(run(dataDir)).rejects.toThrow(`${manifest} is missing`);
    renameSync(path.join(dataDir, 'aside'), manifest);
    expect(await (await run(dataDir)).page()).toMatchObject({ keys: ['a'] });
  });

  it('removes what a killed process left, and no blob of which the journal says nothing', async () => {
    const { dataDir, journal, blobs, blobOf } = await aDataFolder('replaced', 'removed', 'forgotten', 'new');
    const [replaced, removed, forgotten, named] = ['replaced', 'removed', 'forgotten', 'new'].map(blobOf);
    const lines = readFileSync(journal, 'utf8').split('\n');
    const kept = lines.filter((line) => !line.includes('forgotten')).join('\n');
    const again = lines[0]?.replace(path.basename(replaced ?? ''), 'another');
    writeFileSync(journal, `${kept}${again}\n{"delete":"removed"}\n`);
    writeFileSync(path.join(blobs, 'another'), 'replaced');
    writeFileSync(path.join(blobs, 'unacknowledged.new'), 'replaced');
    renameSync(named ?? '', `${named}.new`);
    const { page, read } = await run(dataDir);
    expect(await page()).toMatchObject({ keys: ['new', 'replaced'] });
    expect(await read('new')).toBe('new');
    const left = [named, forgotten].map((file = '') => path.basename(file));
    expect(readdirSync(blobs).toSorted()).toEqual(['another', ...left].toSorted());
    expect(readdirSync(blobs)).not.toContain(path.basename(removed ?? ''));
  });
});

describe.each([
  { what: 'missing', damage: (blob: string) => rmSync(blob) },
  { what: 'cut short', damage: (blob: string) => truncateSync(blob, 1) },
])('an object whose file is $what', ({ damage }) => {
  it('is not there, until it is put again', async () => {
    const { dataDir, blobOf } = await aDataFolder('first', 'second', 'third');
    const { page, read, put, remove, stop } = await run(dataDir);
    damage(blobOf('second'));
    damage(blobOf('third'));
    expect(await page()).toEqual({ keys: ['first'], more: false });
    expect(await page(1)).toEqual({ keys: ['first'], more: false });
    await expect(read('second')).rejects.toThrow(expect.objectContaining({ name: 'NoSuchKey' }));
    await put('second', 'once more');
    await remove('third');
    expect(await read('second')).toBe('once more');
    await stop();
    expect(await (await run(dataDir)).page()).toMatchObject({ keys: ['first', 'second'] });
  });
});
