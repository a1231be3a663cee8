/** Several runs of one thing. */
export type Figure = { readonly name: string; readonly unit: string; readonly runs: readonly number[] };

export function median(runs: readonly number[]): number {
  return percentile(runs, 50);
}

/** The least of some runs that so many percent of them do not exceed. */
export function percentile(runs: readonly number[], percent: number): number {
  const sorted = runs.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}

/** A figure of one run. */
export const one = (name: string, unit: string, value: number): Figure => ({ name, unit, runs: [value] });

/** How runs were spread, as figures of their own; 100 percent is the worst. */
export function spread(
  name: string,
  unit: string,
  runs: readonly number[],
  percents: readonly number[] = [50, 95],
): readonly Figure[] {
  const called = (percent: number) => (percent === 100 ? 'worst' : `p${percent}`);
  return percents.map((percent) => one(`${name}, ${called(percent)}`, unit, percentile(runs, percent)));
}

/** Milliseconds that something takes, for each of some runs. */
export async function timed(runs: number, work: (run: number) => Promise<void>): Promise<number[]> {
  const taken: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const began = performance.now();
    await work(run);
    taken.push(performance.now() - began);
  }
  return taken;
}

/** A number with three places that count, or none behind the point. */
export const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));

/** Prints a table: median, least and most of each figure. */
export function print(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}`);
  const cell = (value: number) => shown(value).padStart(10);
  console.log(`${''.padEnd(62)}${'median'.padStart(10)}${'min'.padStart(10)}${'max'.padStart(10)}`);
  for (const { name, unit, runs } of figures) {
    const values = [median(runs), Math.min(...runs), Math.max(...runs)];
    console.log(`${`${name} (${unit})`.padEnd(62)}${values.map(cell).join('')}`);
  }
}

/** What is measured must also be right: a fast wrong answer ends the run. */
export function hold(promise: string, holds: boolean): void {
  if (!holds) throw new Error(`does not hold: ${promise}`);
}
