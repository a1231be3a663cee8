import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Fate, StoreCall } from '../../local/faults.ts';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

const sdk = (name: string) => createRequire(import.meta.url).resolve(`@aws-sdk/${name}`);

/** Puts one object and one item, and tells of each whether that worked. */
const writer = `
  import s3 from '${sdk('client-s3')}';
  import dynamodb from '${sdk('client-dynamodb')}';
  const objects = new s3.S3Client({ maxAttempts: 1 });
  const items = new dynamodb.DynamoDBClient({ maxAttempts: 1 });
  const outcome = (sending) => sending.then(() => 'done', (error) => error.name);
  export const handler = async ({ pathParameters: { name } }) => ({ statusCode: 200, body: JSON.stringify({
    object: await outcome(objects.send(new s3.PutObjectCommand({ Bucket: process.env.BUCKET, Key: name, Body: name }))),
    item: await outcome(items.send(new dynamodb.PutItemCommand({ TableName: process.env.TABLE, Item: { pk: { S: name } } }))),
  }) });`;

const variables = { BUCKET: { Ref: 'Files' }, TABLE: { Ref: 'Items' } };
const assembly = writeAssembly({
  functions: { Writer: writer },
  properties: { Writer: { Environment: { Variables: variables } } },
  routes: { 'PUT /{name}': 'Writer' },
  resources: {
    Files: { Type: 'AWS::S3::Bucket' },
    Items: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      },
    },
    Password: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        GenerateSecretString: { SecretStringTemplate: '{"username":"admin"}', GenerateStringKey: 'password' },
      },
    },
  },
});

/** SDK clients of a stack's stores. */
function visit({ clientConfig: { region, credentials, endpoints }, bucketName, tableName }: LocalStack) {
  const client = new S3Client({ region, credentials, endpoint: endpoints.s3 });
  const items = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const isThere = (getting: Promise<unknown>) => getting.then(Boolean, () => false);
  return {
    put: async (name: string) => {
      await client.send(new PutObjectCommand({ Bucket: bucketName, Key: name, Body: name }));
      await items.send(new PutItemCommand({ TableName: tableName, Item: { pk: { S: name } } }));
    },
    stored: async (name: string) => ({
      object: await isThere(client.send(new GetObjectCommand({ Bucket: bucketName, Key: name }))),
      item: await isThere(
        items
          .send(new GetItemCommand({ TableName: tableName, Key: { pk: { S: name } }, ConsistentRead: true }))
          .then(({ Item }) => Item),
      ),
    }),
  };
}

describe('a call from a function to a store', () => {
  let stack: LocalStack;
  let calls: StoreCall[];

  beforeAll(async () => {
    stack = await startLocal({ assembly });
  });
  afterAll(async () => {
    await stack.stop();
  });
  beforeEach(() => {
    calls = [];
  });

  const put = async (name: string, service?: string, fate: Fate = 'pass') => {
    stack.intercept = (call) => {
      calls.push(call);
      return call.service === service ? fate : 'pass';
    };
    const answer = await fetch(`${stack.url}/${name}`, { method: 'PUT' });
    return { status: answer.status, ...JSON.parse(await answer.text()) };
  };

  it('is shown to the test, calls of others are not', async () => {
    expect(await put('shown')).toEqual({ status: 200, object: 'done', item: 'done' });
    await visit(stack).put('other');
    expect(calls).toEqual([
      { service: 's3', operation: 'PutObject', caller: 'Writer', key: 'shown' },
      { service: 'dynamodb', operation: 'PutItem', caller: 'Writer' },
    ]);
  });

  it.each<{ service: string; fate: Fate; outcome: object; object: boolean; item: boolean }>([
    {
      service: 's3',
      fate: 'fail-before',
      outcome: { object: 'InternalError', item: 'done' },
      object: false,
      item: true,
    },
    {
      service: 's3',
      fate: 'fail-after',
      outcome: { object: 'InternalError', item: 'done' },
      object: true,
      item: true,
    },
    { service: 's3', fate: 'kill-before', outcome: { status: 500 }, object: false, item: false },
    { service: 's3', fate: 'kill-after', outcome: { status: 500 }, object: true, item: false },
    {
      service: 'dynamodb',
      fate: 'fail-before',
      outcome: { item: 'InternalServerError' },
      object: true,
      item: false,
    },
    {
      service: 'dynamodb',
      fate: 'fail-after',
      outcome: { item: 'InternalServerError' },
      object: true,
      item: true,
    },
    { service: 'dynamodb', fate: 'kill-before', outcome: { status: 500 }, object: true, item: false },
    { service: 'dynamodb', fate: 'kill-after', outcome: { status: 500 }, object: true, item: true },
  ])('to $service may meet $fate', async ({ service, fate, outcome, object, item }) => {
    const name = `${service}-${fate}`;
    expect(await put(name, service, fate)).toMatchObject(outcome);
    expect(await visit(stack).stored(name)).toEqual({ object, item });
  });

  it('finds the secret that the template asks for, with the password in it', async () => {
    const { region, credentials, endpoints } = stack.clientConfig;
    const client = new SecretsManagerClient({ region, credentials, endpoint: endpoints.secretsManager });
    const id = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:Password';
    const { SecretString = '' } = await client.send(new GetSecretValueCommand({ SecretId: id }));
    expect(JSON.parse(SecretString)).toEqual({ username: 'admin', password: stack.adminPassword });
    await expect(client.send(new GetSecretValueCommand({ SecretId: 'other' }))).rejects.toThrow(
      'no secret other',
    );
  });
});

describe('a data folder', () => {
  const holder = `
    import { startLocal } from ${JSON.stringify(new URL('../../local/stack.ts', import.meta.url).href)};
    const [dataDir, assembly] = process.argv.slice(-2);
    const { url, bucketName, tableName, clientConfig } = await startLocal({ dataDir, assembly });
    console.log(JSON.stringify({ url, bucketName, tableName, clientConfig }));`;

  async function startElsewhere(dataDir: string): Promise<{ child: ChildProcess; stack: LocalStack }> {
    const options = ['--import', 'tsx', '--input-type=module', '--eval', holder, dataDir, assembly];
    const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return { child, stack: JSON.parse(line) };
  }

  it('belongs to one process, and survives that being killed', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-test-'));
    const { child, stack } = await startElsewhere(dataDir);
    await visit(stack).put('kept');
    await expect(startLocal({ dataDir, assembly })).rejects.toThrow(`is in use by process ${child.pid}`);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
    const next = await startLocal({ dataDir, assembly });
    expect(await visit(next).stored('kept')).toEqual({ object: true, item: true });
    await expect(startLocal({ dataDir, assembly })).rejects.toThrow(`is in use by process ${process.pid}`);
    await next.stop();
    rmSync(dataDir, { recursive: true });
  });
});
