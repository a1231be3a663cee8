import { endUnused, readOptions } from '../command-line.ts';
import { type HistoryFigures, runHistory } from './history.ts';
import { preparePackages } from './packages.ts';

const USAGE = `Looks for a history that breaks a promise (docs/reliability.md).

  npm run simulate -- [--histories N] [--seed S]

N is 10000 unless given; the seed, which is printed, decides all.`;

const values = readOptions(USAGE, {
  histories: { type: 'string', default: '10000' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
});
const histories = Number(values.histories);
const first = Number(values.seed);
if (!(Number.isInteger(histories) && Number.isInteger(first)))
  endUnused(USAGE, '--histories and --seed are whole numbers');
console.log(`${histories} histories from seed ${first}`);

const packages = await preparePackages();
const sums = new Map<keyof HistoryFigures, number>();
for (let seed = first; seed < first + histories; seed += 1) {
  const { violation, figures, trace } = await runHistory(seed, packages);
  for (const [name, count] of Object.entries(figures) as [keyof HistoryFigures, number][]) {
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  if (violation !== undefined) {
    console.log(trace.join('\n'));
    console.log(`violated by seed ${seed} after ${seed - first + 1} histories: ${violation}`);
    console.log(`again: npm run simulate -- --histories 1 --seed ${seed}`);
    process.exit(1);
  }
}
console.log([...sums].map(([name, count]) => `${name} ${count}`).join(', '));
console.log(`${histories} histories, no promise broken`);
