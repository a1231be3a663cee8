import { randomFrom } from '../test/random.ts';
import type { Operation } from './calls.ts';
import { perMillion } from './cost.ts';
import { markdown } from './cost-tables.ts';
import { type Load, type Outcome, simulate } from './load.ts';
import { type Moved, movedFor } from './moved.ts';
import { type Prices, prices } from './prices.ts';

const SIZES = [1_000, 10_000, 100_000];
const PUBLISHES = [0.01, 1, 10, 50];
const READS = [0, 1, 10, 100];
const CHANGED = [1, 2, 5, 12, 20, 50];
const LARGE_CHARTS = 5_000;
const DRAWS = 200;
// The operation that is counted has an index of 40 MB, in which one chart changes.
const COUNTED_CHARTS = 2_440;
const DAY_SECONDS = 24 * 60 * 60;

/** Long enough for some publishes. */
const secondsOf = ({ publishesPerSecond }: Load) => (publishesPerSecond < 1 ? 3_600 : 60);

function percentile(values: readonly number[], percent: number): string {
  if (values.length === 0) return '–';
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
  return value.toFixed(0);
}

/** What a refresh moves where so many charts changed, by their number. */
export async function movedTable(): Promise<string> {
  const megabytes = ({ bytes }: Moved) => (bytes / 1e6).toFixed(1);
  const random = randomFrom(1);
  const rows: (readonly (string | number)[])[] = [];
  for (const changed of CHANGED) {
    const places = (place: (n: number) => number) => Array.from({ length: changed }, (_, n) => place(n));
    let bytes = 0;
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const anywhere = places(() => random.below(LARGE_CHARTS));
      bytes += (await movedFor(LARGE_CHARTS, anywhere)).bytes / DRAWS;
    }
    const neighbours = places((n) => LARGE_CHARTS / 2 + n);
    const evenly = places((n) => Math.floor(((n + 0.5) * LARGE_CHARTS) / changed));
    rows.push([
      changed,
      megabytes(await movedFor(LARGE_CHARTS, neighbours)),
      megabytes({ bytes, parts: 0 }),
      megabytes(await movedFor(LARGE_CHARTS, evenly)),
    ]);
  }
  const heads = ['charts that changed', 'neighbours (MB)', 'anywhere (MB)', 'as far apart as can be (MB)'];
  return markdown(heads, rows);
}

/** What a day of such a load costs, without traffic to the internet. */
function dayOf(
  { seconds, publishes, refreshes, waits, bytesPut, partsPut }: Outcome,
  operations: readonly Operation[],
  countedParts: number,
  of: Prices,
): number {
  const operation = (start: string) => {
    const found = operations.find(({ name }) => name.startsWith(start));
    if (found === undefined) throw new Error(`there is no operation ${start}`);
    return found;
  };
  const all = refreshes.reader + refreshes.indexer;
  // Whatever the operation moves that was counted, this one moves what it moved on average.
  const refreshOf = ({ calls, ...counted }: Operation, parts: number) => {
    const bytes = all === 0 ? 0 : bytesPut / all;
    const s3Puts = calls.s3Puts + (all === 0 ? 0 : partsPut / all) - parts;
    return { ...counted, calls: { ...calls, s3Puts, bytesFromS3: bytes, bytesToS3: bytes } };
  };
  const refresh =
    partsPut > 0
      ? refreshOf(operation('refresh by the indexer, an index of 40'), countedParts)
      : refreshOf(operation('refresh by the indexer, a small'), 0);
  const millions =
    publishes * perMillion(operation('publish, answered'), of) +
    all * perMillion(refresh, of) +
    waits.length * perMillion(operation('index, unchanged'), of);
  return ((millions / 1e6) * DAY_SECONDS) / seconds;
}

const perMinute = (count: number, { seconds }: Outcome) => {
  const rate = (count * 60) / seconds;
  return rate.toFixed(rate < 10 ? 1 : 0);
};

/** The tables of docs/scaling.md that are simulated, by their names. */
export async function loadBlocks(
  operations: readonly Operation[],
  of: Prices = prices,
): Promise<Readonly<Record<string, string>>> {
  const counted = await movedFor(COUNTED_CHARTS, [COUNTED_CHARTS / 2]);
  const waits: (readonly (string | number)[])[] = [];
  const rates: (readonly (string | number)[])[] = [];
  for (const publishesPerSecond of PUBLISHES) {
    for (const readsPerSecond of READS) {
      const cells: string[][] = [];
      for (const versions of SIZES) {
        const load = { versions, publishesPerSecond, readsPerSecond };
        const outcome = await simulate(load, secondsOf(load));
        const { refreshes, bytesPut, visible } = outcome;
        const all = refreshes.reader + refreshes.indexer;
        const day = dayOf(outcome, operations, counted.parts, of);
        cells.push([
          `${percentile(outcome.waits, 50)} / ${percentile(outcome.waits, 99)}`,
          `${percentile(visible, 50)} / ${percentile(visible, 95)}`,
          `${perMinute(all, outcome)} · ${perMinute(bytesPut / 1e6, outcome)} MB · $${day.toFixed(day < 10 ? 2 : 0)}`,
        ]);
      }
      const column = (n: number) => cells.map((each) => each[n] ?? '');
      waits.push([publishesPerSecond, readsPerSecond, ...column(0), ...column(1)]);
      rates.push([publishesPerSecond, readsPerSecond, ...column(2)]);
    }
  }
  const sizes = SIZES.map((size) => size.toLocaleString('en'));
  const heads = ['publishes a second', 'reads a second'];
  return {
    moved: await movedTable(),
    waits: markdown(
      [...heads, ...sizes.map((size) => `wait at ${size}`), ...sizes.map((size) => `visible at ${size}`)],
      waits,
    ),
    refreshes: markdown([...heads, ...sizes], rates),
  };
}
