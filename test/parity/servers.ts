import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startLocal } from '../../local/stack.ts';
import { synthesize } from '../../local/synthesize.ts';
import type { Depth, Setup } from './row.ts';

/** The user that both ask for when access is closed. */
export const user = { name: 'admin', password: 'correct horse' };

/** What the table is held to. */
export type Server = {
  /** Address of what answers for repositories of this depth. */
  origin(depth: Depth): Promise<string>;
  stop(): Promise<void>;
};

/** Chartroom: one stack answers for every depth. */
export async function startChartroom({ settings }: Setup): Promise<Server> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-parity-'));
  const context = { access: 'open', accessReason: 'a test on this computer', ...settings };
  const assembly = await synthesize({ outDir: folder, context });
  const stack = await startLocal({ assembly, adminPassword: user.password });
  return {
    origin: async () => stack.url,
    stop: async () => {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** ChartMuseum: a process for each depth that is asked for. */
export function startChartMuseum(binary: string, { flags }: Setup): Server {
  const started = new Map<Depth, ReturnType<typeof startProcess>>();
  return {
    origin: async (depth) => {
      const running = started.get(depth) ?? startProcess(binary, [...flags, '--depth', String(depth)]);
      started.set(depth, running);
      return (await running).origin;
    },
    stop: async () => {
      for (const running of started.values()) await (await running).stop();
    },
  };
}

async function startProcess(binary: string, flags: readonly string[]) {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartmuseum-'));
  const port = await freePort();
  const storage = ['--storage', 'local', '--storage-local-rootdir', folder];
  // By the variable and not by a flag, since older ones do not know it and then refuse to start.
  const env = { ...process.env, LISTEN_HOST: '127.0.0.1' };
  const child = spawn(binary, ['--port', String(port), ...storage, ...flags], { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const origin = `http://127.0.0.1:${port}`;
  // Any answer will do: behind a context path, /health is somewhere else.
  while (!(await answers(origin))) {
    if (child.exitCode !== null) throw new Error(`${binary} ${flags.join(' ')} ended: ${child.exitCode}`);
    await sleep(50);
  }
  return { origin, stop };
}

const answers = (origin: string): Promise<boolean> =>
  fetch(`${origin}/health`).then(
    () => true,
    () => false,
  );

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
