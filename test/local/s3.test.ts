import {
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

const put = (Key: string, Body = Key) =>
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

  it('are listed in the order of their bytes', async () => {
    for (const key of ['p/\u{10000}', 'p/\uffee', 'p/a']) await put(key);
    const list = new ListObjectsV2Command({ Bucket: stack.bucketName, Prefix: 'p/' });
    const { Contents = [] } = await client.send(list);
    expect(Contents.map(({ Key }) => Key)).toEqual(['p/a', 'p/\uffee', 'p/\u{10000}']);
  });
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
    const url = (await signed('secret')).replace('/secret?', '/other?');
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
    await put('charts/other', 'other');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'charts/a b+c.tgz' }));
    const { VersionId } = await put('charts/version', 'x');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'charts/version', VersionId: 'not its own' }));
    const Objects = [{ Key: 'charts/other' }, { Key: 'charts/version', VersionId }];
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    await stack.idle();
    await expect
      .poll(() => eventsOf(''))
      .toEqual([
        ['ObjectCreated:Put', 'charts/a+b%2Bc.tgz', 4],
        ['ObjectCreated:Put', 'charts/other', 5],
        ['ObjectRemoved:DeleteMarkerCreated', 'charts/a+b%2Bc.tgz', undefined],
        ['ObjectCreated:Put', 'charts/version', 1],
        ['ObjectRemoved:DeleteMarkerCreated', 'charts/other', undefined],
        ['ObjectRemoved:Delete', 'charts/version', undefined],
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
