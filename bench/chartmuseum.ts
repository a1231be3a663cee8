import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inParallel } from '../shared/async-iteration.ts';
import { systemClock } from '../shared/clock.ts';
import { aPackage } from '../test/packages.ts';
import { freePort } from '../test/parity/servers.ts';
import { hold } from './figures.ts';
import { cpuMsOf } from './process-usage.ts';
import { readIndex } from './repository.ts';
import { seededVersion } from './seed.ts';

/** A storage of ChartMuseum's with the packages of so many seeded versions. */
export async function chartMuseumStorage(count: number): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  const numbers = Array.from({ length: count }, (_, n) => n);
  await inParallel(numbers, async (n) => {
    const { id, pending } = seededVersion(n);
    const bytes = await aPackage({
      name: id.name,
      version: id.version,
      files: { 'Chart.yaml': pending.entry },
    });
    await writeFile(path.join(folder, `${id.name}-${id.version}.tgz`), bytes);
  });
  return folder;
}

/** The peer, over a storage that has so many versions or more, once it lists them. */
export async function startChartMuseum(
  binary: string,
  { folder, flags, atLeast }: { folder: string; flags: readonly string[]; atLeast: number },
) {
  const port = await freePort();
  const storage = ['--storage', 'local', '--storage-local-rootdir', folder];
  const env = { ...process.env, LISTEN_HOST: '127.0.0.1' };
  const args = ['--port', String(port), ...storage, ...flags];
  const child = spawn(binary, args, { env, stdio: 'ignore' });
  const ended = once(child, 'exit');
  const url = `http://127.0.0.1:${port}`;
  const listed = async () => (await readIndex(url).catch(() => undefined))?.bytes.toString('latin1');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${binary} does not start`);
  for (let index = await listed(); ; index = await listed()) {
    hold(`${binary} runs`, child.exitCode === null);
    if (index !== undefined && (index.match(/\.tgz/g)?.length ?? 0) >= atLeast) break;
    await systemClock.sleep(200);
  }
  return {
    url,
    cpuMs: () => cpuMsOf(pid),
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

/** Takes a storage away. */
export const removeStorage = (folder: string) => rm(folder, { recursive: true });
