import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { helmBinary } from './helm/binary.ts';
import { startChartroom } from './whole/chartroom.ts';

const readme = await readFile(path.join(import.meta.dirname, '../README.md'), 'utf8');
const blocks = [...readme.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);

// What a test cannot run: it would start itself, or needs an AWS account. main.test.ts runs `npm start`.
const NOT_RUN = ['npm ci && npm start\n', 'npm test\n', 'npm ci\nnpx cdk bootstrap\nnpx cdk deploy\n'];

const helm = helmBinary();

describe.skipIf(helm === undefined)('the README', () => {
  it('has commands that work as they stand, one block after the other', async () => {
    const runnable = blocks.filter((block) => !NOT_RUN.includes(block));
    expect(blocks.length - runnable.length).toBe(NOT_RUN.length);
    expect(runnable.length).toBeGreaterThan(0);

    const chartroom = await startChartroom();
    const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-readme-'));
    await mkdir(path.join(folder, 'bin'));
    await symlink(helm ?? '', path.join(folder, 'bin/helm'));
    await chmod(folder, 0o700);
    const env = {
      ...process.env,
      PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}`,
      HELM_CONFIG_HOME: path.join(folder, 'config'),
      HELM_CACHE_HOME: path.join(folder, 'cache'),
      HELM_DATA_HOME: path.join(folder, 'data'),
    };
    for (const block of runnable) {
      const commands = block.replaceAll('http://localhost:8080', chartroom.url);
      // curl --fail: here, an answer that is an error must be one.
      const script = `set -e; curl() { command curl --fail-with-body --silent --show-error "$@"; }\n${commands}`;
      const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, env });
      if (block.includes('helm template')) expect(stdout).toContain('kind: Deployment');
    }
    await chartroom.stop();
    await rm(folder, { recursive: true, force: true });
  });
});
