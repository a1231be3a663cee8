import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { helmBinary } from './helm/binary.ts';

const root = path.join(import.meta.dirname, '..');

/** The blocks that no test can run as they stand; every other one is run. */
const NOT_RUN = [
  { block: 'npm test\n', why: 'it is what runs this' },
  { block: 'helm install my-release chartroom/demo\n', why: 'it needs a cluster' },
  {
    block: 'gpg --export-secret-keys > secring.gpg\ngpg --export > pubring.gpg\n',
    why: 'it needs a key of your own; the fixtures hold one for the block after',
  },
  { block: 'npm ci\nnpx cdk bootstrap\nnpx cdk deploy\n', why: 'test/deploy runs it' },
];

// Where a document says that Chartroom is, and the file with its CA.
const ADDRESS = 'localhost:8080';
const CA_FILE = '.chartroom/tls/ca.pem';

const helm = helmBinary();
if (helm === undefined) console.info('The commands in README.md are left out: there is no helm on PATH');

type Block = { readonly commands: string; readonly result: string | undefined };

/** The blocks of commands in a document, each with the JSON that follows as its result. */
async function readBlocks(document: string): Promise<Block[]> {
  const text = await readFile(path.join(root, document), 'utf8');
  const blocks = text.matchAll(/^```sh\n(.*?)^```\n(?:\n```json\n(.*?)^```$)?/gms);
  return [...blocks].map(([, commands = '', result]) => ({ commands, result }));
}

/** A folder to work in, with the real Helm first on the PATH and homes of its own. */
async function makeDesk() {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-readme-'));
  const home = await mkdtemp(path.join(tmpdir(), 'chartroom-home-'));
  onTestFinished(async () => {
    for (const each of [folder, home]) await rm(each, { recursive: true, force: true });
  });
  await mkdir(path.join(home, 'bin'));
  await symlink(helm ?? '', path.join(home, 'bin/helm'));
  const keys = {
    'readme-secring.gpg': 'secring.gpg',
    'readme-pubring.gpg': 'pubring.gpg',
    'token.pem': 'token.pem',
  };
  for (const [key, name] of Object.entries(keys)) {
    await copyFile(path.join(root, 'test/fixtures/keys', key), path.join(folder, name));
  }
  const env = {
    ...process.env,
    PATH: `${path.join(home, 'bin')}:${process.env['PATH']}`,
    HELM_CONFIG_HOME: path.join(home, 'config'),
    HELM_CACHE_HOME: path.join(home, 'cache'),
    HELM_DATA_HOME: path.join(home, 'data'),
  };
  return { folder, env };
}

/** Runs an `npm start` as it is written, but for a free port and a store of its own. */
async function start(command: string) {
  const dashes = command.includes(' -- ') ? '' : ' --';
  // A group of its own: a signal to it reaches npm and what npm started, as Ctrl-C does.
  const child = spawn('sh', ['-c', `${command.trim()}${dashes} --ephemeral --port 0`], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const stop = async () => {
    signal(child, 'SIGTERM');
    await ended;
  };
  onTestFinished(() => signal(child, 'SIGKILL')); // of a test that fails halfway
  let url = '';
  let caFile = '';
  for await (const line of createInterface({ input: child.stdout })) {
    url = /Chartroom is at (\S+)/.exec(line)?.[1] ?? url;
    caFile = /of the CA in (.+)/.exec(line)?.[1] ?? caFile;
    if (line.includes('Press Ctrl-C')) break;
  }
  if (url === '') throw new Error(`"${command.trim()}" ended without an address`);
  child.stdout.resume();
  return { host: new URL(url).host, caFile, stop };
}

function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
}

/** What is another at each run. */
const VARIES = new Set([
  ...['created', 'deleted', 'restorableUntil', 'digest'],
  ...['id', 'at', 'address', 'requestId', 'next'],
]);
const masked = (text: string): unknown =>
  JSON.parse(text, (key, value) => (VARIES.has(key) && typeof value === 'string' ? '…' : value));

describe.skipIf(helm === undefined)('the commands in the documents', () => {
  it.each([
    { document: 'README.md', skipped: NOT_RUN.length },
    { document: 'docs/api.md', skipped: 0 },
    { document: 'docs/tokens.md', skipped: 0 },
  ])(
    'of $document work as they stand, one block after the other',
    async ({ document, skipped }) => {
      const blocks = await readBlocks(document);
      const runnable = blocks.filter(({ commands }) => NOT_RUN.every(({ block }) => block !== commands));
      expect(blocks.length - runnable.length).toBe(skipped);
      expect(runnable[0]?.commands).toContain('npm start');

      const { folder, env } = await makeDesk();
      let chartroom: Awaited<ReturnType<typeof start>> | undefined;
      for (const { commands, result } of runnable) {
        if (commands.includes('npm start')) {
          await chartroom?.stop();
          chartroom = await start(commands.replace('npm ci && ', ''));
          continue;
        }
        const here = commands
          .replaceAll(ADDRESS, chartroom?.host ?? '')
          .replaceAll(CA_FILE, chartroom?.caFile ?? '');
        // For a reader it is enough to see the answer that is an error; here it must be one.
        const script = `set -e; curl() { command curl --fail-with-body --silent --show-error "$@"; }\n${here}`;
        const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, env });
        if (commands.includes('helm template')) expect(stdout).toContain('kind: Deployment');
        if (result !== undefined) expect(masked(stdout)).toEqual(masked(result));
      }
      await chartroom?.stop();
    },
    240_000, // `npm start` four times, each a few seconds of one whole CPU
  );
});
