import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { bind, close } from '../../local/listen.ts';

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await bind(server, '127.0.0.1', 0);
  await close(server);
  return port;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_ministack/health`)).ok;
  } catch {
    return false;
  }
}

/**
 * Starts MiniStack on a free port of this computer.
 *
 * @param command what starts it, by a program from PATH: it is installed by pip, so that no package here declares it
 * @param settings more of its environment; with AUTH it checks signatures, with USE_SSL it speaks TLS alone
 * @throws Error with what it printed, if it ends before it answers
 */
export async function startMinistack(
  [program, ...args]: readonly [string, ...string[]],
  settings: Readonly<Record<string, string>>,
): Promise<{ url: string; stop(): Promise<void> }> {
  const port = await freePort();
  const child = spawn(program, args, {
    env: { ...process.env, BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port), ...settings },
    stdio: 'pipe',
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => void printed.push(data.toString()));
  }
  const state: { ended?: string } = {};
  const ended = new Promise<void>((resolve) => {
    const end = (how: string) => {
      state.ended = how;
      resolve();
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(`it ended with ${code ?? signal}`));
  });
  const url = `${settings['USE_SSL'] === '1' ? 'https' : 'http'}://127.0.0.1:${port}`;
  while (!(await answers(url))) {
    if (state.ended !== undefined) throw new Error(`ministack: ${state.ended}\n${printed.join('')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { url, stop };
}
