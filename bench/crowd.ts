import { type Figure, hold, one, spread } from './figures.ts';
import { count, type Publishable, publish, publishable, type Reading, readIndex } from './repository.ts';
import type { StackProcess } from './stack-process.ts';

const PUBLISHERS = 20;
const STALLS = [50, 99, 100];

export type Crowd = {
  /** Names of charts begin with it; another one for each crowd. */
  readonly name: string;
  /** How many versions each of the publishers has. */
  readonly versionsEach: number;
  readonly readers: number;
  /** No publish begins after that. */
  readonly seconds: number;
};

/** Twenty publishers at once, each with a chart of its own, and readers in a loop, on any server with that API. */
export async function crowdFigures(
  url: string,
  { name, versionsEach, readers, seconds }: Crowd,
): Promise<{ readonly figures: readonly Figure[]; readonly published: number }> {
  const packages = await Promise.all(
    Array.from({ length: PUBLISHERS }, (_, publisher) => packagesOf(`${name}-${publisher}`, versionsEach)),
  );
  const before = await listedVersions(url);
  const began = performance.now();
  const published: string[] = [];
  const state = { isOver: false };
  const publishers = packages.map(async (own) => {
    for (const each of own) {
      if (performance.now() - began > seconds * 1000) return;
      await publish(url, each);
      published.push(each.file);
    }
  });
  const readings: Omit<Reading, 'bytes'>[] = [];
  const reading = Array.from({ length: readers }, async () => {
    while (!state.isOver) {
      const { beganMs, wholeMs } = await readIndex(url);
      readings.push({ beganMs, wholeMs });
    }
  });
  await Promise.all(publishers);
  const took = (performance.now() - began) / 1000;
  state.isOver = true;
  await Promise.all(reading);
  const { bytes } = await readIndex(url);
  const listed = bytes.toString('latin1').match(new RegExp(`(?<=charts/)${name}-[^"\\s]+\\.tgz`, 'g')) ?? [];
  hold(
    'each version that was published is in the index once',
    listed.toSorted().join() === published.toSorted().join(),
  );
  hold('no version was lost or doubled', versionsIn(bytes) === before + published.length);
  const figures = [
    one(`${PUBLISHERS} publishers`, 'publishes/s', published.length / took),
    ...(readers === 0 ? [] : stalls(readings)),
  ];
  return { figures, published: published.length };
}

function stalls(readings: readonly Omit<Reading, 'bytes'>[]): readonly Figure[] {
  const began = readings.map(({ beganMs }) => beganMs);
  const whole = readings.map(({ wholeMs }) => wholeMs);
  return [
    ...spread('a reader, until the answer begins', 'ms', began, STALLS),
    ...spread('a reader, until the index is read', 'ms', whole, STALLS),
    one('indexes read', 'readings', readings.length),
  ];
}

/** The same on a stack of ours, with what it did to its index. */
export async function ownCrowdFigures(stack: StackProcess, crowd: Crowd): Promise<readonly Figure[]> {
  const flips = await stack.flips();
  const refreshes = stack.refreshes.length;
  const { figures, published } = await crowdFigures(stack.url, crowd);
  const callers = stack.refreshes.slice(refreshes);
  const byIndexer = callers.filter((caller) => caller.startsWith('indexrepositories')).length;
  return [
    ...figures,
    one('indexes made current for 100 publishes', '', ((await stack.flips()) - flips) / (published / 100)),
    one('refreshes begun for 100 publishes', '', callers.length / (published / 100)),
    one('of them by the indexer', '%', (byIndexer / callers.length) * 100),
  ];
}

const packagesOf = (name: string, versions: number): Promise<Publishable[]> =>
  Promise.all(Array.from({ length: versions }, (_, n) => publishable(name, `1.0.${n}`)));

const listedVersions = async (url: string): Promise<number> => versionsIn((await readIndex(url)).bytes);

/** In JSON or in YAML: each version has its digest once. */
const versionsIn = (index: Buffer): number => count(index, '"digest":') + count(index, ' digest: ');
