import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

const assembly = writeAssembly({
  functions: {},
  resources: {
    Files: { Type: 'AWS::S3::Bucket' },
    Items: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      },
    },
  },
});

const holder = `
  import { startLocal } from ${JSON.stringify(new URL('../../local/stack.ts', import.meta.url).href)};
  const [dataDir, assembly] = process.argv.slice(-2);
  const { bucketName, tableName, clientConfig } = await startLocal({ dataDir, assembly });
  console.log(JSON.stringify({ bucketName, tableName, clientConfig }));`;

const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-killed-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

async function startElsewhere() {
  const options = ['--import', 'tsx', '--input-type=module', '--eval', holder, dataDir, assembly];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const stack: LocalStack = JSON.parse(line);
  return { child, stack };
}

type Sight = Pick<LocalStack, 'clientConfig' | 'bucketName' | 'tableName'>;

function visit({ clientConfig: { region, credentials, endpoints }, bucketName, tableName }: Sight) {
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, maxAttempts: 1 });
  const items = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb, maxAttempts: 1 });
  const at = (Key: string) => ({ Bucket: bucketName, Key });
  const putWhole = (key: string, body: string) => s3.send(new PutObjectCommand({ ...at(key), Body: body }));
  // As a large index is put: of what another object held, which is gone before the end.
  const compose = async (key: string, body: string) => {
    const source = `${key}.source`;
    await putWhole(source, body);
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at(key)));
    const part = { ...at(key), UploadId, PartNumber: 1, CopySource: `${bucketName}/${source}` };
    const { CopyPartResult } = await s3.send(new UploadPartCopyCommand(part));
    await s3.send(new DeleteObjectCommand(at(source)));
    const Parts = [{ PartNumber: 1, ETag: CopyPartResult?.ETag }];
    await s3.send(new CompleteMultipartUploadCommand({ ...at(key), UploadId, MultipartUpload: { Parts } }));
  };
  return {
    put: async (key: string, body: string, composed: boolean) => {
      await (composed ? compose : putWhole)(key, body);
      const Item = { pk: { S: key }, body: { S: body.slice(0, 1000) } };
      await items.send(new PutItemCommand({ TableName: tableName, Item }));
    },
    object: async (key: string) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucketName, Key: key }));
      return await Body?.transformToString();
    },
    item: async (key: string) => {
      const get = new GetItemCommand({ TableName: tableName, Key: { pk: { S: key } }, ConsistentRead: true });
      return (await items.send(get)).Item?.['body']?.S;
    },
    keys: async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucketName }));
      return Contents.map(({ Key = '' }) => Key);
    },
  };
}

/** What an object of that name and round holds, of some sizes. */
const textOf = (key: string, round: number) => `${key} ${round} `.repeat(1 + ((round * 7919) % 30_000));

it('survives being killed at any moment: what was acknowledged is there, whole, and nothing is left over', async () => {
  /** Rounds of each key: the last that was acknowledged, and the last that was begun. */
  const written = new Map<string, { acknowledged?: number; begun: number }>();
  let writes = 0;
  for (const enough of [1, 7, 40, 80]) {
    const { child, stack } = await startElsewhere();
    const visitor = visit(stack);
    const closed = once(child, 'close');
    const until = writes + enough;
    // Several writers overwrite keys of their own again and again, till the runner is dead.
    const writer = async (name: string) => {
      for (let n = 0; ; n += 1) {
        const key = `${enough}/${name}/${n % 5}`;
        const state = { ...written.get(key), begun: writes++ };
        written.set(key, state);
        await visitor.put(key, textOf(key, state.begun), name === 'd');
        written.set(key, { ...state, acknowledged: state.begun });
        if (writes > until) child.kill('SIGKILL');
      }
    };
    await Promise.allSettled(['a', 'b', 'c', 'd'].map(writer));
    await closed;
    const next = await startLocal({ dataDir, assembly });
    const { object, item, keys } = visit(next);
    const listed = new Set(await keys());
    for (const [key, { acknowledged, begun }] of written) {
      const texts = [acknowledged ?? begun, begun].map((round) => textOf(key, round));
      if (acknowledged !== undefined) expect(listed).toContain(key);
      if (acknowledged !== undefined)
        expect(texts.map((text) => text.slice(0, 1000))).toContain(await item(key));
      if (listed.has(key)) expect(texts.includes((await object(key)) ?? ''), key).toBe(true);
    }
    const bucket = path.join(dataDir, 's3', next.bucketName);
    expect(readdirSync(path.join(bucket, 'blobs'))).toHaveLength(listed.size);
    expect(readdirSync(bucket).toSorted()).toEqual(['blobs', 'journal.jsonl']);
    expect(readdirSync(dataDir).toSorted()).toEqual(['dynamodb', 'lock', 's3']);
    await next.stop();
  }
});
