import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { Bucket, type S3Request } from '../../local/s3-bucket.ts';
import { ObjectFiles } from '../../local/s3-objects.ts';
import { readXml } from '../../local/s3-xml.ts';

const asking = (query: string, text = ''): S3Request => {
  const bytes = Buffer.from(text);
  const body = { chunks: [bytes], bytes, sha256: '', md5: 'a', crc32: 0 };
  return { key: 'a', query: new URLSearchParams(query), headers: new Map(), body };
};

it('an upload that is given up in the moment of its end has ended, and its end says so', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-parts-'));
  const files = new ObjectFiles(folder);
  const ended: Promise<unknown>[] = [];
  const upload = { id: '' };
  const bucket: Bucket = new Bucket({
    name: 'charts',
    files,
    secrets: () => undefined,
    may: () => true,
    // Before whoever completed the upload goes on.
    changed: () => {
      const giveUp = Promise.resolve().then(() => ask('DELETE', `uploadId=${upload.id}`));
      ended.push(giveUp.then(() => 'given up').catch(({ code }) => code));
    },
  });
  const ask = async (method: string, query: string, text?: string) => {
    const request = asking(query, text);
    return await bucket.operation(method, request)?.[1](request);
  };
  try {
    const begun = await ask('POST', 'uploads');
    upload.id = readXml(String(begun?.body), 'InitiateMultipartUploadResult')[0]?.('UploadId') ?? '';
    await ask('PUT', `uploadId=${upload.id}&partNumber=1`, 'text');
    const list = '<Part><PartNumber>1</PartNumber><ETag>a</ETag></Part>';
    expect(await ask('POST', `uploadId=${upload.id}`, list)).toMatchObject({ status: 200 });
    expect(await Promise.all(ended)).toEqual(['NoSuchUpload']);
    expect(files.get('a')).toMatchObject({ sizeBytes: 4 });
  } finally {
    files.close();
    await rm(folder, { recursive: true });
  }
});
