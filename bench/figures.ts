/** Several runs of one thing. */
export type Figure = { readonly name: string; readonly unit: string; readonly runs: readonly number[] };

export function median(runs: readonly number[]): number {
  const sorted = runs.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
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

/** Prints a table: median, least and most of each figure. */
export function print(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}`);
  const cell = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3)).padStart(10);
  console.log(`${''.padEnd(52)}${'median'.padStart(10)}${'min'.padStart(10)}${'max'.padStart(10)}`);
  for (const { name, unit, runs } of figures) {
    const values = [median(runs), Math.min(...runs), Math.max(...runs)];
    console.log(`${`${name} (${unit})`.padEnd(52)}${values.map(cell).join('')}`);
  }
}

/** What is measured must also be right: a fast wrong answer ends the run. */
export function hold(promise: string, holds: boolean): void {
  if (!holds) throw new Error(`does not hold: ${promise}`);
}
