import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aPackage } from '../packages.ts';
import { type AnyChartroom, listed, sha256, startAnyChartroom } from './chartroom.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;

let chartroom: AnyChartroom;
let folder: string;
beforeAll(async () => {
  chartroom = await startAnyChartroom();
  folder = await mkdtemp(path.join(tmpdir(), 'chartroom-inbox-'));
});
afterAll(async () => {
  await chartroom.stop();
  await rm(folder, { recursive: true });
});

/** A package of about that size: what is random cannot be compressed. */
const large = (mebibytes: number, version = '1.0.0') =>
  aPackage({
    version,
    files: Object.fromEntries(
      Array.from({ length: mebibytes }, (_, n) => [`files/${n}`, randomBytes(MIB * 0.7).toString('base64')]),
    ),
  });

type Status = { readonly state: string; readonly status?: number; readonly error?: string };

/** Sends a package by the curl command that an upload is answered with; waits for what becomes of it. */
async function upload(bytes: Uint8Array, query = ''): Promise<Status> {
  const answer = await chartroom.send('POST', `/api/large/uploads${query}`);
  const { id, curl } = (await answer.json()) as { id: string; curl: string };
  await writeFile(path.join(folder, 'chart.tgz'), bytes);
  await run('bash', ['-c', curl], { cwd: folder });
  return await vi.waitFor(
    async () => {
      const told = (await (await chartroom.send('GET', `/api/large/uploads/${id}`)).json()) as Status;
      expect(told.state).not.toBe('waiting');
      return told;
    },
    { timeout: 60_000, interval: 200 },
  );
}

describe('a package above the limit of a request', () => {
  it('is published through the bucket, by plain curl, and installed like any other', async () => {
    const bytes = await large(12);
    expect(bytes.length).toBeGreaterThan(6 * MIB);
    expect((await chartroom.publish(bytes, 'large')).status).toBe(413);
    expect(await upload(bytes)).toMatchObject({ state: 'published', name: 'demo', version: '1.0.0' });
    expect(await chartroom.digestAt('/large/charts/demo-1.0.0.tgz')).toBe(sha256(bytes));
    expect(listed(await chartroom.readIndex('large'))).toEqual(['demo 1.0.0']);
  });

  it('is refused by the bucket above the largest size', async () => {
    const answer = await chartroom.send('POST', '/api/large/uploads');
    const { url, fields } = (await answer.json()) as { url: string; fields: Record<string, string> };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob([new Uint8Array(20 * MIB + 1)]));
    expect((await fetch(url, { method: 'POST', body: form })).status).toBe(400);
  });

  it('that is none is rejected as a direct upload is, and kept', async () => {
    const bytes = Buffer.from('no package');
    const direct = await chartroom.publish(bytes, 'large');
    const told = await upload(bytes);
    expect(told).toMatchObject({
      state: 'rejected',
      status: direct.status,
      error: ((await direct.json()) as Status).error,
    });
    // It is told first, so that an attempt which dies in between is made again.
    await vi.waitFor(async () => {
      const keys = await chartroom.keys();
      expect(keys.filter((key) => key.startsWith('inbox/large/'))).toEqual([]);
      expect(keys.filter((key) => key.startsWith('rejected/large/-/'))).toHaveLength(1);
    }, 30_000);
  });

  it('replaces a version with ?force, as a direct upload does', async () => {
    const bytes = await aPackage({ version: '5.0.0' });
    await chartroom.publish(await aPackage({ version: '5.0.0', description: 'before' }), 'large');
    expect(await upload(bytes)).toMatchObject({ state: 'rejected', status: 409 });
    expect(await upload(bytes, '?force')).toMatchObject({ state: 'published' });
    expect(await chartroom.digestAt('/large/charts/demo-5.0.0.tgz')).toBe(sha256(bytes));
  });
});

describe('objects that an operator copies into the inbox', () => {
  const s3 = () => {
    const { region, credentials, endpoints } = chartroom.clientConfig;
    return new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  };

  it('are published with the instant that they state, others are set aside', async () => {
    const Bucket = chartroom.bucketName;
    const put = (name: string, body: Uint8Array, created?: string) =>
      s3().send(
        new PutObjectCommand({
          Bucket,
          Key: `inbox/org/team/-/${name}`,
          Body: body,
          ...(created && { Metadata: { created } }),
        }),
      );
    await put('demo-1.0.0+b.tgz', await aPackage({ version: '1.0.0+b' }), '2019-01-01T00:00:00Z');
    await put('index-cache.yaml', Buffer.from('entries: {}'));
    await vi.waitFor(async () => {
      expect((await chartroom.keys()).filter((key) => key.startsWith('inbox/org/'))).toEqual([]);
    }, 30_000);
    const { entries } = await chartroom.readIndex('org/team');
    expect(entries['demo']).toMatchObject([{ version: '1.0.0+b', created: '2019-01-01T00:00:00.000Z' }]);
    const Key = 'rejected/org/team/-/index-cache.yaml';
    expect((await s3().send(new GetObjectCommand({ Bucket, Key }))).Metadata).toEqual({
      code: 'invalid_package',
    });
    expect(await (await chartroom.send('GET', '/api/org/team/uploads/demo-1.0.0+b')).json()).toMatchObject({
      state: 'published',
    });
  });
});
