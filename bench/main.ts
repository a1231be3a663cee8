import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { helmBinary } from '../test/helm/binary.ts';
import { coldFigures } from './cold.ts';
import { type Figure, median, print } from './figures.ts';
import { helmFigures } from './helm-index.ts';
import { helmReads, packageFigures, shapes } from './package.ts';
import { refreshFigures } from './refresh.ts';
import { repairFigures } from './repair.ts';
import { printScaling } from './scaling.ts';
import { stackFigures } from './stack.ts';

const { values } = parseArgs({
  options: {
    // The tables of docs/scaling.md: what calls cost, and what is simulated; --write puts them there.
    cost: { type: 'boolean', default: false },
    scaling: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    // Measures one publish of the package in a file in this process, and prints its figures as JSON; the others start it.
    'publish-of': { type: 'string' },
  },
});

const numbers = (text: string) => text.split(',').map(Number);

async function main(): Promise<void> {
  const file = values['publish-of'];
  if (file !== undefined) {
    console.log(JSON.stringify(await packageFigures(file)));
    return;
  }
  const runs = values.quick ? 3 : 7;
  const sizes = numbers(values.sizes ?? (values.quick ? '1000' : '1000,10000'));
  console.log(`${cpus().length} cores, Node.js ${process.version}; medians of ${runs} runs`);
  await printCold(runs);
  for (const size of sizes) await printStack(size, runs);
  for (const size of [...sizes, ...(values.quick || values.sizes ? [] : [100_000])]) {
    print(`The refresh step alone at ${size} versions`, await refreshFigures(size));
  }
  if (!values.quick) {
    print('The refresh step alone at 100000 charts of one version', await refreshFigures(100_000, 1));
  }
  for (const size of sizes) await printRepair(size);
  for (const [title, make] of Object.entries(shapes)) await printPackage(title, await make());
}

async function printCold(runs: number): Promise<void> {
  const figures = await coldFigures(runs * 3);
  print('A cold start of what Helm asks for', figures);
  const [index, file, peer] = figures.map((figure) => median(figure.runs));
  if (index === undefined || file === undefined || peer === undefined) return;
  const ratio = (figure: number) => (figure / peer).toPrecision(2);
  console.log(
    `get-index takes ${ratio(index)}, get-package ${ratio(file)} times as long as the S3 client alone`,
  );
}

async function printStack(size: number, runs: number): Promise<void> {
  const figures = await stackFigures(size, runs);
  print(`The local stack at ${size} versions`, figures);
  const helm = helmBinary();
  if (helm === undefined) {
    console.log('helm repo index --merge: left out, there is no helm on PATH');
    return;
  }
  const peer = await helmFigures(helm, size, values.quick ? 1 : 3);
  print(`Its peer at ${size} versions`, peer);
  const visible = figures.find(({ name }) => name.startsWith('publish to visible'));
  const ratio = median(peer[0]?.runs ?? []) / median(visible?.runs ?? []);
  console.log(`publish to visible is ${ratio.toPrecision(3)} times as fast as helm repo index --merge`);
}

async function printRepair(size: number): Promise<void> {
  const figures = await repairFigures(size, helmBinary());
  print(`What was lost, at ${size} versions`, figures);
  const [ours, , peer] = figures.map(({ runs }) => median(runs));
  if (ours === undefined || peer === undefined) return;
  console.log(`a repair takes ${(ours / peer).toPrecision(3)} times as long as helm repo index of the same`);
}

async function printPackage(title: string, bytes: Uint8Array): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    const file = path.join(folder, 'demo-1.0.0.tgz');
    await writeFile(file, bytes);
    const figures = await inFreshProcess('--publish-of', file);
    const helm = helmBinary();
    const peer = helm === undefined ? undefined : await helmReads(helm, file, 3);
    print(`${title}, ${(bytes.length / 1e6).toFixed(1)} MB packed`, [...figures, ...(peer ? [peer] : [])]);
    if (peer === undefined) return;
    const ratio = median(figures[0]?.runs ?? []) / median(peer.runs);
    console.log(`it takes ${ratio.toPrecision(3)} times as long as helm show chart`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Each size gets a process of its own, so that memory and CPU are its own too. */
async function inFreshProcess(what: string, of: string): Promise<readonly Figure[]> {
  const main = fileURLToPath(import.meta.url);
  const args = ['--import', 'tsx', main, what, of];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Figure[];
}

await (values.cost || values.scaling ? printScaling(values) : main());
