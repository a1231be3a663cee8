import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, listed, startChartroom } from './chartroom.ts';

/** Runs `npm run <task> -- …` as an operator does. @returns what it printed and its exit code */
function operate(task: string, dataDir: string, ...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    const command = ['run', '--silent', task, '--', '--data-dir', dataDir, ...args];
    execFile('npm', command, { cwd: path.join(import.meta.dirname, '../..') }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), said: `${stdout}${stderr}` }),
    );
  });
}

function temporaryFolder(): string {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-upkeep-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  return dataDir;
}

/** Removes the objects of a repository whose keys match. */
async function lose({ clientConfig, bucketName }: Chartroom, prefix: string, pattern: RegExp): Promise<void> {
  const { region, credentials, endpoints } = clientConfig;
  const client = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  const { Contents: objects = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: bucketName, Prefix: prefix }),
  );
  const lost = objects.filter(({ Key: key = '' }) => pattern.test(key));
  expect(lost).not.toHaveLength(0);
  for (const { Key: key } of lost) {
    await client.send(new DeleteObjectCommand({ Bucket: bucketName, Key: key }));
  }
  client.destroy();
}

it('an operator sees what is wrong and repairs it, while the stack runs and after', async () => {
  const dataDir = temporaryFolder();
  const chartroom = await startChartroom({ dataDir });
  onTestFinished(() => chartroom.stop());
  for (const repository of ['', 'org/team']) {
    await chartroom.publish(await aPackage(), repository);
    await chartroom.readIndex(repository);
  }
  await chartroom.idle();
  expect(await operate('verify', dataDir)).toMatchObject({
    code: 0,
    said: expect.stringContaining('2 repositories: healthy'),
  });

  await lose(chartroom, 'index/org/team/-/', /index\.yaml$/);
  const wrong = await operate('verify', dataDir);
  expect(wrong.code).toBe(1);
  expect(wrong.said).toContain('org/team: index_lost');
  expect(await operate('verify', dataDir, '--repository', '')).toMatchObject({ code: 0 });
  expect(await operate('repair', dataDir, '--repository', 'org/team')).toMatchObject({
    code: 0,
    said: expect.stringContaining('org/team: index_lost, mended'),
  });
  expect(listed(await chartroom.readIndex('org/team'))).toEqual(['demo 1.0.0']);

  await lose(chartroom, 'files/-/', /json\.gz$/);
  await lose(chartroom, 'charts/org/team/-/', /\.tgz$/);
  expect(await operate('reconcile', dataDir)).toMatchObject({ code: 0 });
  await chartroom.stop();
  const left = await operate('verify', dataDir);
  expect(left.code).toBe(1);
  expect(left.said).toContain('org/team: package_lost');
  expect(left.said).not.toContain('files_lost');
});
