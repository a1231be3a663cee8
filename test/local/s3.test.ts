import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

type Batch = { Records: { body: string }[] };

const collector = `
  export const handler = async ({ Records }) => { for (const { body } of Records) console.log(body); };`;

const assembly = writeAssembly({
  functions: { Collector: collector },
  resources: {
    Events: { Type: 'AWS::SQS::Queue' },
    Mapping: {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: { 'Fn::GetAtt': ['Events', 'Arn'] }, FunctionName: { Ref: 'Collector' } },
    },
    Files: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        NotificationConfiguration: {
          QueueConfigurations: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'].map((Event) => ({
            Event,
            Queue: { 'Fn::GetAtt': ['Events', 'Arn'] },
            Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: 'charts/' }] } },
          })),
        },
      },
    },
  },
});

type Event = {
  eventName: string;
  s3: { bucket: { name: string }; object: { key: string; size?: number; sequencer: string } };
};

let stack: LocalStack;
let client: S3Client;
const events: Event[] = [];

const clientOf = ({ clientConfig: { region, credentials, endpoints } }: LocalStack) =>
  new S3Client({ region, credentials, endpoint: endpoints.s3 });

beforeAll(async () => {
  const log = (line: string) =>
    void events.push(...(JSON.parse(line) as Batch & { Records: Event[] }).Records);
  stack = await startLocal({ assembly, log });
  client = clientOf(stack);
});

afterAll(async () => {
  client.destroy();
  await stack.stop();
});

const put = (Key: string, Body: string | Buffer | Readable = Key) =>
  client.send(new PutObjectCommand({ Bucket: stack.bucketName, Key, Body }));
const read = async (Key: string) => {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: stack.bucketName, Key }));
  return await Body?.transformToString();
};
const signed = (Key: string, expiresIn = 60, signingDate = new Date()) =>
  getSignedUrl(client, new GetObjectCommand({ Bucket: stack.bucketName, Key }), { expiresIn, signingDate });
const codeOf = async (answer: Response) => {
  const [, code] = /<Code>(.*)<\/Code>/.exec(await answer.text()) ?? [];
  return { status: answer.status, code };
};

describe('keys', () => {
  it('may be a part of one another and hold any character', async () => {
    const keys = ['a', 'a/b', 'a//b', '../a', 'ä +%2B?#&<>"\'', 'x'.repeat(1000)];
    for (const key of keys) await put(key);
    for (const key of keys) expect(await read(key)).toBe(key);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: stack.bucketName }));
    expect(Contents.map(({ Key }) => Key)).toEqual(expect.arrayContaining(keys));
  });

  it('are listed in order, page by page, rolled up behind a delimiter', async () => {
    for (const key of ['p/1/x', 'p/1/y', 'p/2', 'p/3/x', 'p/\u{10000}', 'p/\uffee']) await put(key);
    const found: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const page: ListObjectsV2Command = new ListObjectsV2Command({
        Bucket: stack.bucketName,
        Prefix: 'p/',
        Delimiter: '/',
        MaxKeys: 1,
        ...(token !== undefined && { ContinuationToken: token }),
      });
      const { Contents = [], CommonPrefixes = [], NextContinuationToken } = await client.send(page);
      found.push(...Contents.map(({ Key }) => Key), ...CommonPrefixes.map(({ Prefix }) => Prefix));
      token = NextContinuationToken;
    } while (token !== undefined);
    expect(found).toEqual(['p/1/', 'p/2', 'p/3/', 'p/\uffee', 'p/\u{10000}']);
  });
});

it('takes a stream in chunks with a trailing checksum', async () => {
  const bytes = Buffer.alloc(300_000, 'chunk');
  const Body = Readable.from([bytes.subarray(0, 100_001), bytes.subarray(100_001)]);
  const sent = { Bucket: stack.bucketName, Key: 'stream', Body, ContentLength: bytes.length };
  await client.send(new PutObjectCommand(sent));
  expect(await read('stream')).toBe(bytes.toString());
});

describe('credentials', () => {
  it('are needed', async () => {
    await put('secret');
    const answer = await fetch(`${stack.storeUrl}/${stack.bucketName}/secret`);
    expect(await codeOf(answer)).toEqual({ status: 403, code: 'AccessDenied' });
  });

  it('must not come twice', async () => {
    const answer = await fetch(await signed('secret'), { headers: { authorization: 'Basic dTpw' } });
    expect(await codeOf(answer)).toEqual({ status: 400, code: 'InvalidArgument' });
  });

  it('may come twice where API and S3 share an address', async () => {
    const shared = await startLocal({ assembly, address: '127.0.0.1' });
    try {
      const there = clientOf(shared);
      const object = { Bucket: shared.bucketName, Key: 'secret' };
      await there.send(new PutObjectCommand({ ...object, Body: 'secret' }));
      const url = await getSignedUrl(there, new GetObjectCommand(object));
      const answer = await fetch(url, { headers: { authorization: 'Basic dTpw' } });
      expect([answer.status, await answer.text()]).toEqual([200, 'secret']);
    } finally {
      await shared.stop();
    }
  });

  it('expire', async () => {
    const answer = await fetch(await signed('secret', 60, new Date(Date.now() - 61_000)));
    expect(await codeOf(answer)).toEqual({ status: 403, code: 'AccessDenied' });
  });

  it('sign one key only', async () => {
    const url = (await signed('secret')).replace('/secret?', '/stream?');
    expect(await codeOf(await fetch(url))).toEqual({ status: 403, code: 'SignatureDoesNotMatch' });
  });
});

describe('events', () => {
  const eventsOf = (prefix: string) =>
    events
      .filter(({ s3 }) => s3.object.key.startsWith(prefix))
      .sort((a, b) => (a.s3.object.sequencer < b.s3.object.sequencer ? -1 : 1))
      .map(({ eventName, s3 }) => [eventName, s3.object.key, s3.object.size]);

  it('tell what was made and removed under the prefix, keys encoded', async () => {
    const Bucket = stack.bucketName;
    await put('other/1');
    await put('charts/a b+c.tgz', 'four');
    const source = `${Bucket}/charts/a%20b%2Bc.tgz`;
    await client.send(new CopyObjectCommand({ Bucket, Key: 'charts/copy', CopySource: source }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'charts/a b+c.tgz' }));
    const Objects = [{ Key: 'charts/copy' }, { Key: 'charts/nothing' }];
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    await stack.idle();
    await expect
      .poll(() => eventsOf(''))
      .toEqual([
        ['ObjectCreated:Put', 'charts/a+b%2Bc.tgz', 4],
        ['ObjectCreated:Copy', 'charts/copy', 4],
        ['ObjectRemoved:Delete', 'charts/a+b%2Bc.tgz', undefined],
        ['ObjectRemoved:Delete', 'charts/copy', undefined],
      ]);
  });

  it('come as often as a test wants', async () => {
    stack.deliver = ({ s3 }) => (s3.object.key.endsWith('lost') ? [] : [0, 5]);
    await put('charts/twice/1');
    await put('charts/twice/lost');
    const twice = ['ObjectCreated:Put', 'charts/twice/1', 14];
    await stack.idle();
    await expect.poll(() => eventsOf('charts/twice/')).toEqual([twice, twice]);
    stack.deliver = undefined;
  });
});
