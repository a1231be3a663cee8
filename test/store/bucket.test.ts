import { S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { bucket } from '../../shared/store/bucket.ts';
import { scriptedServer } from './scripted-server.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The store over an S3 that answers everything alike. */
async function answering(status: number, xml: string) {
  const server = await scriptedServer(async ({ response }) => {
    response.writeHead(status, { 'content-type': 'application/xml' }).end(xml);
  });
  const client = new S3Client({
    endpoint: server.url,
    region: 'us-east-1',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
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
