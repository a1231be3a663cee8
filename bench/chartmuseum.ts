import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inParallel } from '../shared/async-iteration.ts';
import { systemClock } from '../shared/clock.ts';
import { aPackage } from '../test/packages.ts';
import { freePort } from '../test/parity/servers.ts';
import { crowds, peerCrowdFigures, READ } from './crowd.ts';
import { type Figure, hold, one } from './figures.ts';
import { cpuMsOf } from './process-usage.ts';
import { count, readIndex } from './repository.ts';
import { seededVersion } from './seed.ts';
import { visibleFigures } from './visible.ts';

// One regeneration of its YAML takes a minute at the largest size, and each publish asks for one.
const SLOW_ABOVE = 10_000;

/** The peer, with its YAML and with its JSON index, over packages of so many seeded versions; each with its title. */
export async function* chartMuseumFigures(
  binary: string,
  size: number,
): AsyncGenerator<readonly [title: string, figures: readonly Figure[]]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    await fill(folder, size);
    yield* figuresOf('ChartMuseum, YAML', 2, await start(binary, folder, size, []));
    yield* figuresOf('ChartMuseum, JSON', 3, await start(binary, folder, size, ['--json-index']));
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Peer = Awaited<ReturnType<typeof start>>;

/** @param major of the versions that are published, another one for each peer: they share a storage */
async function* figuresOf(name: string, major: number, { url, size, cpuMs, stop }: Peer) {
  try {
    const isSlow = size > SLOW_ABOVE && name.endsWith('YAML');
    const runs = isSlow ? 2 : 5;
    const before = cpuMs();
    const visible = await visibleFigures(url, size, runs, major);
    // One more of them warmed it.
    const cpu = (cpuMs() - before) / (runs + 1);
    yield [name, [...visible, one('CPU of a publish and the read that shows it', 'ms', cpu)]] as const;
    const crowd = { ...crowds[READ], name: `crowd-${major}`, versionsEach: 20 };
    if (isSlow) {
      const few = await peerCrowdFigures(url, { ...crowd, publishers: 2, versionsEach: 1 });
      yield [`${name}: 2 publishers and a reader`, few] as const;
    } else yield [`${name}: ${READ}`, await peerCrowdFigures(url, crowd)] as const;
  } finally {
    await stop();
  }
}

/** Puts the packages of so many seeded versions into a storage. */
async function fill(folder: string, size: number): Promise<void> {
  const numbers = Array.from({ length: size }, (_, n) => n);
  await inParallel(numbers, async (n) => {
    const { id, pending } = seededVersion(n);
    const bytes = await aPackage({ name: id.name, files: { 'Chart.yaml': pending.entry } });
    await writeFile(path.join(folder, `${id.name}-${id.version}.tgz`), bytes);
  });
}

/** Starts it over a storage, and waits until it lists so many versions. */
async function start(binary: string, folder: string, size: number, flags: readonly string[]) {
  const port = await freePort();
  const args = ['--port', String(port), '--storage', 'local', '--storage-local-rootdir', folder, ...flags];
  const env = { ...process.env, LISTEN_HOST: '127.0.0.1' };
  const child = spawn(binary, args, { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${binary} does not start`);
  const url = `http://127.0.0.1:${port}`;
  const listed = async () => (await readIndex(url).catch(() => undefined))?.bytes ?? Buffer.alloc(0);
  while (count(await listed(), '.tgz') < size) {
    hold(`${binary} runs`, child.exitCode === null);
    await systemClock.sleep(200);
  }
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { url, size, cpuMs: () => cpuMsOf(pid), stop };
}
