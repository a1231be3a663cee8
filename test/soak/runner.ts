import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Span, Violation } from './ledger.ts';

const root = path.join(import.meta.dirname, '../..');

// Far more than a start takes on a busy machine.
const START_PATIENCE_MS = 120_000;

/** A life of the program, from its first answer to its kill. */
type Life = { readonly from: number; to: number };

type Gate = { readonly passed: Promise<void>; open(): void };

function gate(): Gate {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** The program that users start, over one data directory, as often as it is killed. */
export class Runner {
  readonly #args: readonly string[];
  readonly #lives: Life[] = [];
  #child: ChildProcess | undefined;
  #printed = '';
  #up = gate();
  starts = 0;

  readonly url: string;

  private constructor(dataDir: string, port: number, storePort: number) {
    this.url = `http://127.0.0.1:${port}`;
    const ports = ['--port', String(port), '--store-port', String(storePort)];
    this.#args = [...ports, '--data-dir', dataDir];
  }

  static async over(dataDir: string): Promise<Runner> {
    return new Runner(dataDir, await freePort(), await freePort());
  }

  /** What it printed since it was started last. */
  get printed(): string {
    return this.#printed;
  }

  /** Starts it, and does not wait. */
  spawn(): void {
    this.starts += 1;
    this.#printed = '';
    const child = spawn('npx', ['tsx', 'local/main.ts', ...this.#args], {
      cwd: root,
      detached: true, // a process group of its own, so that a kill takes npx, tsx and the program at once
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        this.#printed = `${this.#printed}${text}`.slice(-4_000);
      });
    }
    this.#child = child;
  }

  /** Starts it and waits for its answer. @throws Violation if it does not come up */
  async start(): Promise<void> {
    this.spawn();
    const deadline = performance.now() + START_PATIENCE_MS;
    while (!(await this.#answers())) {
      const ended = this.#child?.exitCode !== null || performance.now() > deadline;
      if (ended) throw new Violation(`the runner does not start over its data directory:\n${this.#printed}`);
      await sleep(25);
    }
    this.#lives.push({ from: performance.now(), to: Number.POSITIVE_INFINITY });
    this.#up.open();
  }

  /** Resolves while it answers; those who come when it is down wait for the next start. */
  up(): Promise<void> {
    return this.#up.passed;
  }

  /** Sends every process of it this signal, in the middle of whatever they do, and waits for their end. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const life = this.#lives.at(-1);
    if (life !== undefined && life.to === Number.POSITIVE_INFINITY) {
      life.to = performance.now();
      this.#up = gate();
    }
    const ended = once(child, 'close'); // its pipes are closed when the last of the group has ended
    process.kill(-child.pid, signal);
    await ended;
  }

  /** Whether one life covered all of it, so that nothing but the program itself explains a failure. */
  undisturbed({ start, end }: Span): boolean {
    return this.#lives.some(({ from, to }) => from <= start && to > end);
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health`)).status === 200;
    } catch {
      return false;
    }
  }
}

/** Below the ports that outgoing connections get, since one of them would keep the runner from starting again. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
