import { partSizes } from '../shared/domain/compose-index.ts';
import type { Operation } from './calls.ts';
import { perMillion } from './cost.ts';
import { markdown } from './cost-tables.ts';
import { BYTES_PER_VERSION, type Load, type Outcome, simulate } from './load.ts';
import { type Prices, prices } from './prices.ts';

const SIZES = [1_000, 10_000, 100_000];
const PUBLISHES = [0.01, 1, 10, 50];
const READS = [0, 1, 10, 100];
const DAY_SECONDS = 24 * 60 * 60;

/** Long enough for some publishes. */
const secondsOf = ({ publishesPerSecond }: Load) => (publishesPerSecond < 1 ? 3_600 : 60);

function percentile(values: readonly number[], percent: number): string {
  if (values.length === 0) return '–';
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
  return value.toFixed(0);
}

/** What a day of such a load costs, without traffic to the internet. */
function dayOf(
  load: Load,
  { seconds, publishes, refreshes, waits }: Outcome,
  operations: readonly Operation[],
  of: Prices,
): number {
  const operation = (start: string) => {
    const found = operations.find(({ name }) => name.startsWith(start));
    if (found === undefined) throw new Error(`there is no operation ${start}`);
    return found;
  };
  const bytes = load.versions * BYTES_PER_VERSION;
  const small = operation('refresh by the indexer, a small');
  const whole = { ...small, calls: { ...small.calls, bytesFromS3: bytes, bytesToS3: bytes } };
  const refresh = bytes > partSizes.wholeBytes ? operation('refresh by the indexer, an index of 40') : whole;
  const millions =
    publishes * perMillion(operation('publish, answered'), of) +
    (refreshes.reader + refreshes.indexer) * perMillion(refresh, of) +
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
        const day = dayOf(load, outcome, operations, of);
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
    waits: markdown(
      [...heads, ...sizes.map((size) => `wait at ${size}`), ...sizes.map((size) => `visible at ${size}`)],
      waits,
    ),
    refreshes: markdown([...heads, ...sizes], rates),
  };
}
