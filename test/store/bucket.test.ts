import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { bucket } from '../../shared/store/bucket.ts';
import { lightBucket } from '../../shared/store/light-bucket.ts';
import { type Exchange, scriptedServer } from './scripted-server.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const clientOf = (endpoint: string, maxAttempts: number) =>
  new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });

/** What says of itself how long it is, and ends before that. */
const cutOff = ({ response }: Exchange) =>
  response.writeHead(200, { 'content-length': 10 }).write('01234', () => response.destroy());

/** The light store over an S3 that answers as a script says, one answer after the other; the last one stays. */
async function lightly(...script: readonly ((exchange: Exchange) => unknown)[]) {
  const methods: (string | undefined)[] = [];
  const server = await scriptedServer(async (exchange) => {
    const reply = script[Math.min(methods.length, script.length - 1)];
    methods.push(exchange.request.method);
    reply?.(exchange);
  });
  const client = clientOf(server.url, 3);
  closing.push(() => client.destroy(), server.close);
  let isWhole = false;
  const store = lightBucket(client.config, { bucketName: 'charts', endpoint: server.url }, async () => {
    isWhole = true;
    return bucket(client, 'charts');
  });
  return { store, methods, neededAll: () => isWhole };
}

/** The store over an S3 that answers everything alike. */
async function answering(status: number, xml: string) {
  const server = await scriptedServer(async ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
  });
  const client = clientOf(server.url, 1);
  closing.push(() => client.destroy(), server.close);
  return bucket(client, 'charts');
}

const error = (code: string) => `<Error><Code>${code}</Code><Message>No.</Message></Error>`;

describe('the bucket', () => {
  it('throws with the keys that S3 kept, though the answer to their removal is 200', async () => {
    const store = await answering(
      200,
      '<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>No.</Message></Error></DeleteResult>',
    );
    await expect(store.remove(['a', 'b'])).rejects.toThrow('S3 did not delete b (AccessDenied)');
  });

  it('takes neither a lost permission nor a lost bucket for a missing object', async () => {
    const denied = await answering(403, error('AccessDenied'));
    await expect(denied.get('a')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(denied.exists('a')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const lost = await answering(404, error('NoSuchBucket'));
    await expect(lost.get('a')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

describe('the light bucket', () => {
  const text = '0123456789';
  const whole = ({ response }: Exchange) => response.writeHead(200, { 'content-length': 10 }).end(text);
  const answer =
    (status: number, body = '') =>
    ({ response }: Exchange) =>
      response.writeHead(status).end(body);
  const large = ({ response }: Exchange) =>
    response.writeHead(200, { 'content-length': 2 * 1024 * 1024 }).write('0');

  it('reads and looks without the S3 client', async () => {
    const { store, methods, neededAll } = await lightly(whole);
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(text);
    expect(await store.exists('a')).toBe(true);
    expect(methods).toEqual(['GET', 'HEAD']);
    expect(neededAll()).toBe(false);
  });

  it.each([
    { what: 'an answer that is cut off', first: cutOff },
    { what: 'a connection that ends', first: ({ response }: Exchange) => response.destroy() },
    { what: 'a fault of S3', first: answer(503) },
    { what: 'an object that is large', first: large },
  ])('leaves $what to it, which asks again', async ({ first }) => {
    const { store, methods, neededAll } = await lightly(first, answer(503), whole);
    expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe(text);
    expect(methods).toEqual(['GET', 'GET', 'GET']);
    expect(neededAll()).toBe(true);
  });

  it('takes neither a lost permission nor a lost bucket for a missing object', async () => {
    const { store: denied } = await lightly(answer(403, error('AccessDenied')));
    await expect(denied.get('a')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(denied.exists('a')).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const { store: lost } = await lightly(answer(404, error('NoSuchBucket')));
    await expect(lost.get('a')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});
