import { systemClock } from '../shared/clock.ts';
import { type Figure, hold, one, spread } from './figures.ts';
import { count, type Publishable, publish, publishable, type Reading, readIndex } from './repository.ts';
import { seededName, VERSIONS_OF_A_CHART } from './seed.ts';
import type { StackProcess } from './stack-process.ts';

const STALLS = [50, 99, 100];
const PATIENCE_MS = 10 * 60_000;

export type Crowd = {
  /** Names of charts end with it; another one for each crowd. */
  readonly name: string;
  readonly publishers: number;
  /** How many versions each publisher has at most. */
  readonly versionsEach: number;
  /** How long a publisher waits after each. @default 0 */
  readonly pauseMs?: number;
  /** No publish begins after that. */
  readonly seconds: number;
  readonly readers: number;
};

export const UNREAD = '20 publishers, nobody reads';
export const READ = '20 publishers and a reader';

/** What is measured of crowds, by title. */
export const crowds = {
  [UNREAD]: { name: 'unread', publishers: 20, versionsEach: 100, seconds: 20, readers: 0 },
  [READ]: { name: 'read', publishers: 20, versionsEach: 100, seconds: 20, readers: 1 },
  'a publish a second and a reader': {
    name: 'steady',
    publishers: 1,
    versionsEach: 20,
    pauseMs: 1000,
    seconds: 20,
    readers: 1,
  },
  'four publishes a second and a reader': {
    name: 'four',
    publishers: 4,
    versionsEach: 20,
    pauseMs: 1000,
    seconds: 20,
    readers: 1,
  },
} as const satisfies Record<string, Crowd>;

/** Any server with ChartMuseum's API. */
type Target = {
  readonly url: string;
  /** Whether whatever was answered 201 is in every index that is asked for later. */
  readonly listsAtOnce: boolean;
  /** Waits until the index lists so many versions. */
  readonly settled: (versions: number) => Promise<void>;
};

type Timing = Omit<Reading, 'bytes'>;

/**
 * Publishers at once, each with a chart of its own, and readers in a loop. The charts lie as far apart in the index as
 * can be, so that each moves bytes of its own.
 */
async function crowdFigures(target: Target, crowd: Crowd) {
  const { url, listsAtOnce, settled } = target;
  const before = versionsIn((await readIndex(url)).bytes);
  const charts = before / VERSIONS_OF_A_CHART;
  const packages = await Promise.all(
    Array.from({ length: crowd.publishers }, (_, n) => {
      const neighbour = seededName(Math.floor(((n + 0.5) * charts) / crowd.publishers));
      return packagesOf(`${neighbour}-${crowd.name}-${n}`, crowd.versionsEach);
    }),
  );
  const began = performance.now();
  const published: string[] = [];
  const publishing = packages.map(async (own) => {
    for (const each of own) {
      if (performance.now() - began > crowd.seconds * 1000) return;
      await publish(url, each);
      published.push(each.file);
      if (crowd.pauseMs !== undefined) await systemClock.sleep(crowd.pauseMs);
    }
  });
  const state = { isOver: false };
  const readings: Timing[] = [];
  const reading = Array.from({ length: crowd.readers }, async () => {
    while (!state.isOver) {
      const last = published.at(-1) ?? '';
      const { bytes, ...timing } = await readIndex(url);
      readings.push(timing);
      hold(`${last} is in an index asked for after its 201`, !listsAtOnce || bytes.includes(last));
    }
  });
  await Promise.all(publishing);
  const answeredMs = performance.now() - began;
  state.isOver = true;
  await Promise.all(reading);
  await settled(before + published.length);
  const { bytes } = await readIndex(url);
  const visibleMs = performance.now() - began;
  const pattern = new RegExp(`(?<=charts/)chart-\\d+-${crowd.name}-[^"\\s]+\\.tgz`, 'g');
  const listed = bytes.toString('latin1').match(pattern) ?? [];
  hold('what was published is listed once', listed.toSorted().join() === published.toSorted().join());
  hold('no version was lost or doubled', versionsIn(bytes) === before + published.length);
  const figures = [
    one('publishers', '', crowd.publishers),
    one('answered', 'publishes/s', published.length / (answeredMs / 1000)),
    one('visible', 'publishes/s', published.length / (visibleMs / 1000)),
    ...(crowd.readers === 0 ? [] : stalls(readings)),
  ];
  return { figures, published: published.length };
}

function stalls(readings: readonly Timing[]): readonly Figure[] {
  const began = readings.map(({ beganMs }) => beganMs);
  const whole = readings.map(({ wholeMs }) => wholeMs);
  return [
    ...spread('a reader, until the answer begins', 'ms', began, STALLS),
    ...spread('a reader, until the index is read', 'ms', whole, STALLS),
    one('indexes read', '', readings.length),
  ];
}

/** A crowd on a stack of ours, with what it did to its index. */
export async function ownCrowdFigures(stack: StackProcess, crowd: Crowd): Promise<readonly Figure[]> {
  // What came before is not this crowd's.
  await waitUntil('the indexer is done', () => stack.isSettled());
  const flips = await stack.flips();
  const refreshes = stack.refreshes.length;
  // Where nobody reads, nor does the end of the measurement: it waits for the indexer.
  const settled = async () => {
    if (crowd.readers === 0) await waitUntil('the indexer is done', () => stack.isSettled());
  };
  const { url } = stack;
  const { figures, published } = await crowdFigures({ url, listsAtOnce: true, settled }, crowd);
  const callers = stack.refreshes.slice(refreshes);
  const byIndexer = callers.filter((caller) => caller.startsWith('indexrepositories')).length;
  return [
    ...figures,
    one('indexes made current for 100 publishes', '', ((await stack.flips()) - flips) / (published / 100)),
    one('refreshes begun for 100 publishes', '', callers.length / (published / 100)),
    one('of them by the indexer', '%', (byIndexer / callers.length) * 100),
  ];
}

/** A crowd on the peer, which may answer before its index has it. */
export async function peerCrowdFigures(url: string, crowd: Crowd): Promise<readonly Figure[]> {
  const settled = (versions: number) =>
    waitUntil('the index lists all', async () => versionsIn((await readIndex(url)).bytes) >= versions);
  return (await crowdFigures({ url, listsAtOnce: false, settled }, crowd)).figures;
}

async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const began = performance.now();
  while (!(await isSo())) {
    hold(`${what} within ten minutes`, performance.now() - began < PATIENCE_MS);
    await systemClock.sleep(20);
  }
}

const packagesOf = (name: string, versions: number): Promise<Publishable[]> =>
  Promise.all(Array.from({ length: versions }, (_, n) => publishable(name, `1.0.${n}`)));

/** In JSON or in YAML: each version has its digest once. */
const versionsIn = (index: Buffer): number => count(index, '"digest":') + count(index, ' digest: ');
