import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { readOptions } from '../command-line.ts';
import { type Mutant, mutants, without } from './rules.ts';

const USAGE = `Takes the rules of the design out in turn, and sees that the simulation notices.

  npm run mutants -- [--rule TEXT] [--histories N] [--seed S]

TEXT is in the name of the rules to take; all of them unless given. N is 30000 and S 1 unless given.`;

const values = readOptions(USAGE, {
  histories: { type: 'string', default: '30000' },
  seed: { type: 'string', default: '1' },
  rule: { type: 'string', default: '' },
});
const root = path.join(import.meta.dirname, '..', '..');
const folder = path.join(root, '.cache', 'mutants');

type Result = { readonly mutant: Mutant; readonly said: string; readonly caught: boolean };

/** Runs the simulation on a copy of the code in which one rule is missing. */
async function run(mutant: Mutant, number: number): Promise<Result> {
  const copy = path.join(folder, String(number));
  const files = ['test/command-line.ts', 'test/packages.ts', 'test/random.ts'];
  for (const part of ['shared', 'test/simulation', 'test/store', ...files]) {
    cpSync(path.join(root, part), path.join(copy, part), { recursive: true });
  }
  const file = path.join(copy, mutant.file);
  writeFileSync(file, without(mutant, readFileSync(file, 'utf8')));
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', 'test/simulation/main.ts', '--histories', values.histories, '--seed', values.seed],
    { cwd: copy, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const said: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => said.push(bytes));
  const code = await new Promise((resolve) => child.once('close', resolve));
  const violated = Buffer.concat(said)
    .toString()
    .split('\n')
    .find((line) => line.startsWith('violated by'));
  return { mutant, said: violated ?? `ended with ${code}`, caught: violated !== undefined };
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const chosen = mutants.filter(({ rule }) => rule.includes(values.rule));
const waiting = [...chosen.entries()];
const results: Result[] = [];
const worker = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    results.push(await run(next[1], next[0]));
  }
};
await Promise.all(Array.from({ length: Math.min(4, cpus().length) }, worker));
rmSync(folder, { recursive: true, force: true });
for (const mutant of chosen) {
  const result = results.find((each) => each.mutant === mutant);
  console.log(`${result?.caught ? 'caught  ' : 'SURVIVED'}  ${mutant.rule}\n            ${result?.said}`);
}
const survivors = results.filter(({ caught }) => !caught).length;
console.log(`${results.length - survivors} of ${results.length} mutants caught`);
process.exit(survivors === 0 ? 0 : 1);
