import { systemClock } from '../shared/clock.ts';
import { type Figure, hold, spread, timed } from './figures.ts';
import { newVersion, type Publishable, publish, readIndex } from './repository.ts';
import type { StackProcess } from './stack-process.ts';

/** From the POST of a version until an index that was read to its end lists it; of any server with ChartMuseum's API. */
export async function visibleFigures(
  url: string,
  count: number,
  runs: number,
  version = '2.0.0',
): Promise<readonly Figure[]> {
  const publishing: number[] = [];
  // Warm: the peer reads its storage, and functions are loaded.
  await visible(url, await newVersion(0, count, version), []);
  const packages = await Promise.all(
    Array.from({ length: runs }, (_, run) => newVersion(run + 1, count, version)),
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
  let isListed = false;
  for (let reads = 0; !isListed; reads += 1) {
    hold(`${next.file} is in the hundredth index that is read`, reads < 100);
    isListed = (await readIndex(url)).bytes.includes(next.file);
  }
}

/** From the 201 until the index is current, by the events alone. */
export async function unreadFigures(
  stack: StackProcess,
  count: number,
  runs: number,
): Promise<readonly Figure[]> {
  const packages = await Promise.all(
    Array.from({ length: runs }, (_, run) => newVersion(run, count, '3.0.0')),
  );
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
