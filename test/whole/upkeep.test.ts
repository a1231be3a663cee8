import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, listed, startChartroom } from './chartroom.ts';

type Outcome = { readonly code: number; readonly said: string };

/** Does what `npm run <task> -- …` does, but for npm's own second. @returns what it printed and its exit code */
const operate = (task: string, dataDir: string, ...args: string[]) =>
  run(process.execPath, '--import', 'tsx', 'local/upkeep.ts', task, '--data-dir', dataDir, ...args);

/** Runs a command in the project's folder. */
function run(command: string, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: path.join(import.meta.dirname, '../..') }, (error, stdout, stderr) =>
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
  const reconciled = await operate('reconcile', dataDir);
  expect(reconciled.said).toContain('files_lost: 1 found, 1 mended');
  expect(reconciled.said).toContain('package_lost: 1 found, 0 mended');
  expect(reconciled.said).toContain('reconciled: NOT healthy, npm run verify tells the rest');
  expect(reconciled.code).toBe(1);
  await chartroom.stop();
  const left = await operate('verify', dataDir);
  expect(left.code).toBe(1);
  expect(left.said).toContain('org/team: package_lost');
  expect(left.said).not.toContain('files_lost');
});

describe('files that were removed by hand', () => {
  /** Removes the files of all objects whose keys match. */
  function removeFiles(dataDir: string, pattern: RegExp): void {
    const [bucket = ''] = readdirSync(path.join(dataDir, 's3'));
    const folder = path.join(dataDir, 's3', bucket);
    type Line = { readonly put?: { readonly key: string; readonly blob: string } };
    const lines = readFileSync(path.join(folder, 'journal.jsonl'), 'utf8').trim().split('\n');
    const lost = lines
      .map((line) => (JSON.parse(line) as Line).put)
      .filter((put) => pattern.test(put?.key ?? ''));
    expect(lost).not.toHaveLength(0);
    for (const put of lost) rmSync(path.join(folder, 'blobs', put?.blob ?? ''), { force: true });
  }

  it('of an index: it is built anew by reconciliation, or for the next readers', async () => {
    const pattern = /index\.yaml$/;
    const dataDir = temporaryFolder();
    const chartroom = await startChartroom({ dataDir });
    onTestFinished(() => chartroom.stop());
    await chartroom.publish(await aPackage());
    await chartroom.readIndex();
    await chartroom.idle();
    removeFiles(dataDir, pattern);
    const wrong = await operate('verify', dataDir);
    expect(wrong).toMatchObject({ code: 1, said: expect.stringContaining('(root): index_lost') });
    const healed = await operate('reconcile', dataDir);
    expect(healed).toMatchObject({
      code: 0,
      said: expect.stringContaining('index_lost: 1 found, 1 mended'),
    });
    removeFiles(dataDir, pattern);
    await chartroom.stop();
    const second = await startChartroom({ dataDir });
    onTestFinished(() => second.stop());
    // The first may be answered 503, and has the indexer build it anew.
    const seen = () => second.readIndex().then(listed, () => []);
    await expect.poll(seen, { timeout: 30_000 }).toEqual(['demo 1.0.0']);
  });

  it('of a package are told', async () => {
    const dataDir = temporaryFolder();
    const chartroom = await startChartroom({ dataDir });
    onTestFinished(() => chartroom.stop());
    await chartroom.publish(await aPackage());
    await chartroom.idle();
    removeFiles(dataDir, /\.tgz$/);
    expect(await chartroom.digestAt('/charts/demo-1.0.0.tgz')).toBeUndefined();
    const { code, said } = await operate('verify', dataDir, '--repository', '(root)');
    expect(code).toBe(1);
    expect(said).toContain('(root): package_lost');
    expect(said).toContain('1 repository: NOT healthy');
  });
});

describe('what an operator cannot mean', () => {
  it('is a folder without charts', async () => {
    const nowhere = path.join(temporaryFolder(), 'nowhere');
    expect(await operate('verify', nowhere)).toEqual({
      code: 2,
      said: expect.stringContaining(`no charts are kept in ${nowhere}`),
    });
    expect(existsSync(nowhere)).toBe(false);
  });

  it('is a repository that is not there', async () => {
    const dataDir = temporaryFolder();
    const chartroom = await startChartroom({ dataDir });
    onTestFinished(() => chartroom.stop());
    for (const repository of ['', 'org/team']) await chartroom.publish(await aPackage(), repository);
    const lines = async (repository: string) => {
      const { code, said } = await operate('verify', dataDir, '--repository', repository);
      expect(code).toBe(2);
      return said.trim().split('\n');
    };
    expect(await lines('nope')).toEqual([
      expect.stringMatching(
        /^there is no repository nope here; there are (\(root\), org\/team|org\/team, \(root\))$/,
      ),
    ]);
    expect(await lines('a/b/c/d')).toEqual(['a repository has at most 3 segments, not 4']);
  });

  it('are options before the two dashes', async () => {
    const { code, said } = await run('npm', 'run', '--silent', 'verify', '--data-dir', '/somewhere');
    expect(code).toBe(2);
    expect(said).toContain('npm run verify -- --data-dir …');
  });

  it('is an unknown option: the known ones are shown', async () => {
    const { code, said } = await run('npm', 'run', '--silent', 'verify', '--', '--nonsense');
    expect(code).toBe(2);
    expect(said).toContain('--nonsense');
    expect(said).toContain('--data-dir DIR');
  });
});
