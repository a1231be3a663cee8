import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { helmBinary } from './binary.ts';

type Ran = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

/** A real Helm with homes of its own, so that it neither sees nor changes the user's. */
export type Helm = {
  /** A temporary folder to work in. */
  readonly folder: string;
  /** Runs Helm. @throws Error with what it printed if it fails */
  helm(...args: readonly string[]): Promise<string>;
  /** Runs Helm and tells how it went. */
  tryHelm(...args: readonly string[]): Promise<Ran>;
  /** Runs commands as bash does, with this Helm for `helm`. @throws Error with what they printed if one fails */
  bash(commands: string): Promise<string>;
  /** Runs the real curl. @returns body and status */
  curl(...args: readonly string[]): Promise<{ readonly status: number; readonly body: string }>;
  remove(): Promise<void>;
};

/**
 * A Helm to test with.
 *
 * @param variables more of its environment
 */
export async function aHelm(variables: Readonly<Record<string, string>> = {}): Promise<Helm> {
  const binary = helmBinary();
  if (binary === undefined) throw new Error('there is no Helm here');
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-helm-'));
  const env = {
    ...process.env,
    ...variables,
    PATH: `${path.dirname(binary)}${path.delimiter}${process.env['PATH']}`,
    HELM_CONFIG_HOME: path.join(folder, 'config'),
    HELM_CACHE_HOME: path.join(folder, 'cache'),
    HELM_DATA_HOME: path.join(folder, 'data'),
    HELM_PLUGINS: path.join(folder, 'plugins'),
  };
  const run = (program: string, args: readonly string[]): Promise<Ran> =>
    new Promise((resolve) => {
      const options = { cwd: folder, env, maxBuffer: 64 * 1024 * 1024 };
      execFile(program, [...args], options, (error, stdout, stderr) =>
        resolve({ ok: error === null, stdout, stderr }),
      );
    });
  return {
    folder,
    async helm(...args) {
      const { ok, stdout, stderr } = await run(binary, args);
      if (!ok) throw new Error(`helm ${args.join(' ')}\n${stdout}${stderr}`);
      return stdout;
    },
    tryHelm: (...args) => run(binary, args),
    async bash(commands) {
      const { ok, stdout, stderr } = await run('bash', ['-e', '-o', 'pipefail', '-c', commands]);
      if (!ok) throw new Error(`${commands}\n${stdout}${stderr}`);
      return stdout;
    },
    async curl(...args) {
      const { stdout } = await run('curl', ['--silent', '--write-out', '\n%{http_code}', ...args]);
      const end = stdout.lastIndexOf('\n');
      return { status: Number(stdout.slice(end + 1)), body: stdout.slice(0, end) };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
