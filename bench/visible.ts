import { systemClock } from '../shared/clock.ts';
import { type Figure, hold, spread, timed } from './figures.ts';
import { newVersion, type Publishable, publish, readIndex } from './repository.ts';
import type { StackProcess } from './stack-process.ts';

const PATIENCE_MS = 10 * 60_000;

/** From the POST of a version until an index that was read to its end lists it; of any server with ChartMuseum's API. */
export async function visibleFigures(
  url: string,
  count: number,
  runs: number,
  major = 2,
): Promise<readonly Figure[]> {
  const publishing: number[] = [];
  // Warm: the peer reads its storage, and functions are loaded.
  await visible(url, await newVersion(0, count, major), []);
  const packages = await Promise.all(
    Array.from({ length: runs }, (_, run) => newVersion(run + 1, count, major)),
  );
  const seen = await timed(runs, async (run) => {
    const next = packages[run];
    if (next !== undefined) await visible(url, next, publishing);
  });
  return [
    { name: 'POST to 201', unit: 'ms', runs: publishing },
    { name: 'POST to visible', unit: 'ms', runs: seen },
  ];
}

async function visible(url: string, next: Publishable, publishing: number[]): Promise<void> {
  const began = performance.now();
  await publish(url, next);
  publishing.push(performance.now() - began);
  while (!(await readIndex(url)).bytes.includes(next.file)) {
    hold(`${next.file} is in the index within ten minutes`, performance.now() - began < PATIENCE_MS);
  }
}

/** From the 201 until the index is current, by the events alone. */
export async function unreadFigures(
  stack: StackProcess,
  count: number,
  runs: number,
): Promise<readonly Figure[]> {
  const packages = await Promise.all(Array.from({ length: runs }, (_, run) => newVersion(run, count, 3)));
  const waits: number[] = [];
  for (const next of packages) {
    const before = await stack.listed();
    await publish(stack.url, next);
    const [waited = 0] = await timed(1, async () => {
      while ((await stack.listed()) <= before) await systemClock.sleep(10);
    });
    waits.push(waited);
  }
  return spread('201 to current, with nobody reading', 'ms', waits);
}
