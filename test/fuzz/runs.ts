import type { Parameters } from 'fast-check';

const { FUZZ_RUNS, FUZZ_SEED } = process.env;

// Said beforehand: what never ends reports nothing.
const seed = Number(FUZZ_SEED ?? Date.now() % 2 ** 31);
console.log(`FUZZ_SEED=${seed}`);

/** How often a property is tried: as often as said here, times FUZZ_RUNS (a quarter). FUZZ_SEED repeats a run. */
export function runs(few: number): Pick<Parameters<never>, 'numRuns' | 'seed'> {
  return { numRuns: Math.ceil(few * Number(FUZZ_RUNS ?? 0.25)), seed };
}
