import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { bundleDirectory, bundleFunctions } from '../infra/bundle.ts';
import { environmentVariables } from '../shared/contract.ts';
import type { Figure } from './figures.ts';

const LOAD = `
  const before = process.cpuUsage();
  await import(process.argv[1]);
  const { user, system } = process.cpuUsage(before);
  console.log((user + system) / 1000);
  process.exit();`;

// As on Lambda, where a handler is built while its file is loaded, and whose Node the SDK has no warning for.
const environment = {
  AWS_LAMBDA_FUNCTION_NAME: 'cold',
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  [environmentVariables.table]: 'charts',
  [environmentVariables.bucket]: 'charts',
};

/**
 * The CPU that loading the hot functions takes, each time in a process of its own; less that of an empty module.
 *
 * @returns the functions, and last the peer: the S3 client alone
 */
export async function coldFigures(runs: number): Promise<readonly Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    bundleFunctions();
    bundleFunctions({ from: import.meta.dirname, to: folder, ids: ['s3-alone'] });
    const empty = path.join(folder, 'empty.mjs');
    await writeFile(empty, '');
    const bundled = (from: string, id: string) => path.join(from, id, 'index.mjs');
    const files = [
      ['load get-index, CPU', bundled(bundleDirectory, 'get-index')],
      ['load get-package, CPU', bundled(bundleDirectory, 'get-package')],
      ['load get-chart-index, CPU', bundled(bundleDirectory, 'get-chart-index')],
      ['load the S3 client alone, CPU', bundled(folder, 's3-alone')],
    ] as const;
    const figures = files.map(([name]) => ({ name, unit: 'ms', runs: [] as number[] }));
    // In turn, so that what else the machine does meets all of them.
    for (let run = 0; run < runs; run += 1) {
      const nothing = await load(empty);
      for (const [number, [, file]] of files.entries())
        figures[number]?.runs.push((await load(file)) - nothing);
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function load(file: string): Promise<number> {
  const args = ['--input-type=module', '--eval', LOAD, pathToFileURL(file).href];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment });
  return Number(stdout);
}
