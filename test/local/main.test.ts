import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bind, close } from '../../local/listen.ts';

const root = path.join(import.meta.dirname, '../..');

/** Starts the program; `line` waits for one that it prints. */
function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL')); // a test that fails halfway leaves no program behind
  const printed = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    printed.out += text;
  });
  child.stderr.on('data', (text) => {
    printed.err += text;
  });
  const lines = createInterface({ input: child.stdout });
  return {
    child,
    printed,
    ended: once(child, 'close').then(([code]) => code),
    line: async (wanted: RegExp) => {
      for await (const line of lines) if (wanted.test(line)) return line;
      throw new Error(`ended without ${wanted}: ${printed.err}`);
    },
  };
}

describe('npm start', () => {
  it('prints its options', async () => {
    const { printed, ended } = run(['--help']);
    expect(await ended).toBe(0);
    expect(printed.out).toContain('--repo-path DIR');
  });

  it.each([
    { args: ['--nonsense'], message: '--nonsense' },
    { args: ['nonsense'], message: '"nonsense" is no option' },
    { args: ['--port', 'x'], message: '"x" is not a port' },
    { args: ['--access', 'half'], message: 'not "half"' },
    { args: ['--tls', '--address', '0.0.0.0'], message: '--tls is for this computer alone' },
    { args: ['--setting', 'access=closed'], message: 'access is an option of its own here' },
  ])('refuses $args', async ({ args, message }) => {
    const { printed, ended } = run(args);
    expect(await ended).toBe(2);
    expect(printed.err).toContain(message);
    expect(printed.err).toContain('--repo-path DIR');
  });

  it('refuses an option that npm has kept for itself', async () => {
    const { printed, ended } = run([], { npm_config_port: '9000', npm_lifecycle_event: 'start' });
    expect(await ended).toBe(2);
    expect(printed.err).toContain('npm run start -- --port');
  });

  it('says so when its port is taken', async () => {
    const other = createServer();
    const port = await bind(other, '127.0.0.1', 0);
    const { printed, ended } = run(['--ephemeral', '--port', String(port)]);
    expect(await ended).toBe(1);
    expect(printed.err).toMatch(new RegExp(`port ${port} on .* is taken by another program; .*--port`));
    await close(other);
  });

  it('publishes a folder, prints four commands, and stops when asked', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-folder-'));
    writeFileSync(path.join(folder, 'broken-1.0.0.tgz'), 'no package');
    const password = "this test's password";
    const args = ['--ephemeral', '--port', '0', '--access', 'closed', '--repo-path', folder];
    const { child, printed, ended, line } = run(args, { CHARTROOM_ADMIN_PASSWORD: password });
    await line(/Press Ctrl-C/);
    expect(printed.out).toContain('0 published, 0 there already, 1 refused');
    await expect.poll(() => printed.err).toContain('broken-1.0.0.tgz: 400');
    expect(printed.out.match(/^ {2}\S.*/gm)).toHaveLength(4);
    expect(printed.out).toContain(String.raw`-u 'admin:this test'\''s password'`);
    const [, url = ''] = /Chartroom is at (\S+)/.exec(printed.out) ?? [];
    expect((await fetch(`${url}/index.yaml`)).status).toBe(401);
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
    expect((await fetch(`${url}/index.yaml`, { headers: { authorization } })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('serves HTTPS when asked, also to itself, and prints commands that know its CA', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "chartroom's folder-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(path.join(folder, 'broken-1.0.0.tgz'), 'no package');
    const dataDir = path.join(folder, 'data');
    const args = ['--tls', '--data-dir', dataDir, '--port', '0', '--repo-path', folder];
    const { child, printed, ended, line } = run(args);
    await line(/Press Ctrl-C/);
    await expect.poll(() => printed.err).toContain('broken-1.0.0.tgz: 400');
    const caFile = path.join(dataDir, 'tls/ca.pem');
    expect(printed.out).toContain(`Its certificate is of the CA in ${caFile}\n`);
    const [, curl = '', helm = ''] = printed.out.match(/^ {2}\S.*/gm) ?? [];
    const quoted = `'${caFile.replace("'", String.raw`'\''`)}'`;
    expect(curl).toMatch(/https:\/\/localhost:\d+\/api\/charts$/);
    expect(helm).toContain(`helm repo add --force-update --ca-file ${quoted} chartroom https://localhost:`);
    const asked = ['-c', curl.replace('--data-binary @demo-0.1.0.tgz', '--silent --fail')];
    expect((await promisify(execFile)('sh', asked)).stdout).toBe('{}');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
