import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { endUnused, readOptions } from '../test/command-line.ts';
import { helmBinary } from '../test/helm/binary.ts';
import { chartMuseumFigures } from './chartmuseum.ts';
import { clientFigures } from './clients.ts';
import { coldFigures } from './cold.ts';
import { costFigures } from './costs.ts';
import { crossoverFigures, crossoverSizes } from './crossover.ts';
import { crowds, ownCrowdFigures, READ, UNREAD } from './crowd.ts';
import type { Figure } from './figures.ts';
import { helmIndexFigures, seededVersions, yamlIndex } from './helm-index.ts';
import { helmReads, packageFigures, shapes } from './package.ts';
import { readFigures } from './reads.ts';
import { refreshFigures } from './refresh.ts';
import { repairFigures } from './repair.ts';
import { Report } from './report.ts';
import { printScaling } from './scaling.ts';
import { startStack } from './stack-process.ts';
import { unreadFigures, visibleFigures } from './visible.ts';

const USAGE = `Measures, and prints a table (bench/README.md).

  npm run bench -- [options]

  --quick         1,000 versions, few runs
  --full          up to 100,000 versions and all themes, with ChartMuseum where CHARTMUSEUM names its binary
  --sizes N,N     versions in the index
  --cost          the tables of docs/scaling.md instead: what calls cost
  --scaling       also those that are simulated
  --write         puts these into the document
  --help          this text`;

const values = readOptions(USAGE, {
  cost: { type: 'boolean', default: false },
  scaling: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  full: { type: 'boolean', default: false },
  sizes: { type: 'string' },
  // Measures one publish of the package in a file in this process, and prints its figures as JSON; the others start it.
  'publish-of': { type: 'string' },
});

const { quick, full } = values;
const usual = quick ? '1000' : full ? '1000,10000,100000' : '1000,10000';
const sizes = (values.sizes ?? usual).split(',').map(Number);
if (!sizes.every((size) => Number.isInteger(size) && size > 0)) endUnused(USAGE, '--sizes are whole numbers');
const runs = quick ? 3 : 7;
const helm = helmBinary();
const chartMuseum = process.env['CHARTMUSEUM'];
const report = new Report(sizes);

// Of all rows, those that README.md shows.
const MAIN_ROWS = [
  'Chartroom: POST to visible (ms)',
  'ChartMuseum, JSON: POST to visible (ms)',
  'ChartMuseum, YAML: POST to visible (ms)',
  'Helm: helm repo index --merge (ms)',
  'Times as fast as ChartMuseum, JSON, POST to visible',
  'Times as fast as helm repo index --merge, POST to visible',
  'Cost of a publish: CPU of one publish, handler and indexer (ms)',
  'CPU of one publish, the largest against the smallest',
  'Cost of a publish: most memory of the indexer (MB)',
  'Cost of a publish: read from S3 for one publish (MB)',
  'Cost of a publish: written to S3 for one publish (MB)',
  `${READ}: visible (publishes/s)`,
  `ChartMuseum, JSON: ${READ}: visible (publishes/s)`,
  `${READ}: indexes made current for 100 publishes`,
  `${READ}: a reader, until the answer begins, p99 (ms)`,
  `ChartMuseum, JSON: ${READ}: a reader, until the answer begins, p99 (ms)`,
  'four publishes a second and a reader: a reader, until the answer begins, p99 (ms)',
  'a publish a second and a reader: a reader, until the answer begins, p99 (ms)',
  'Nobody reads: 201 to current, with nobody reading, p95 (ms)',
  `${UNREAD}: of them by the indexer (%)`,
  'Reads: index, 304, p50 (ms)',
  'Reads: package, redirect, p50 (ms)',
  'A client: helm repo update, JSON (ms)',
  'A client: helm repo update, YAML (ms)',
  'A client: helm repo update, one chart (ms)',
  'Cold start: load get-index, CPU (ms)',
];

async function main(): Promise<void> {
  const file = values['publish-of'];
  if (file !== undefined) {
    console.log(JSON.stringify(await packageFigures(file)));
    return;
  }
  const conditions = await describeConditions();
  console.log(conditions);
  await addCold();
  for (const size of sizes) {
    await addStack(size);
    await addHelm(size);
    if (full && chartMuseum) {
      for await (const [title, figures] of chartMuseumFigures(chartMuseum, size))
        report.add(title, size, figures);
    }
    report.add('The refresh step alone', size, await refreshFigures(size));
    // A minute for 10,000, and it is about what is lost and not about what is published.
    if (size <= 10_000) await addRepair(size);
  }
  if (full) {
    report.add(
      'The refresh step alone, one version a chart',
      100_000,
      await refreshFigures(100_000, { versionsOfChart: 1 }),
    );
    for (const size of crossoverSizes) report.add('Whole or composed', size, await crossoverFigures(size));
  }
  for (const [title, make] of Object.entries(shapes)) await addPackage(title, await make());
  addRatios();
  console.log(`\n${conditions}\n\n${report.markdown()}`);
  if (full) console.log(`\nIn short:\n\n${report.markdown(MAIN_ROWS)}`);
}

async function describeConditions(): Promise<string> {
  const [cpu] = cpus();
  const version = helm && (await promisify(execFile)(helm, ['version', '--short'])).stdout.trim();
  const peers = `Helm ${version ?? 'left out'}, ChartMuseum ${chartMuseum ? 'with its YAML and its JSON index' : 'left out'}`;
  return `${cpus().length} cores (${cpu?.model}), Node.js ${process.version}, ${peers}; medians of ${runs} runs at ${sizes.join(', ')} versions, 20 a chart, entries of about 700 bytes`;
}

async function addCold(): Promise<void> {
  report.add('Cold start', 'everywhere', await coldFigures(runs * 3));
}

/** What is ours, on one stack: what adds many versions comes last. */
async function addStack(size: number): Promise<void> {
  const stack = await startStack(size);
  try {
    report.add('Chartroom', size, await visibleFigures(stack.url, size, runs));
    report.add('Cost of a publish', size, await costFigures(stack, size, runs));
    report.add('Reads', size, await readFigures(stack, quick ? 20 : 300));
    report.add('Nobody reads', size, await unreadFigures(stack, size, quick ? 3 : 20));
    if (!full) return;
    if (helm !== undefined) report.add('A client', size, await clientFigures(helm, stack, size, 3));
    for (const [title, crowd] of Object.entries(crowds)) {
      report.add(title, size, await ownCrowdFigures(stack, crowd));
    }
  } finally {
    await stack.stop();
  }
}

async function addHelm(size: number): Promise<void> {
  if (helm === undefined) return console.log('helm repo index --merge: left out, there is no helm on PATH');
  const yaml = yamlIndex(seededVersions(size));
  report.add('Helm', size, await helmIndexFigures(helm, yaml, quick || size > 10_000 ? 1 : 3));
}

async function addRepair(size: number): Promise<void> {
  report.add('What was lost', size, await repairFigures(size, helm));
}

async function addPackage(title: string, bytes: Uint8Array): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    const file = path.join(folder, 'demo-1.0.0.tgz');
    await writeFile(file, bytes);
    const figures = await inFreshProcess('--publish-of', file);
    const peer = helm === undefined ? [] : [await helmReads(helm, file, 3)];
    report.add(title, `${(bytes.length / 1e6).toFixed(1)} MB packed`, [...figures, ...peer]);
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

function addRatios(): void {
  const visible = 'Chartroom: POST to visible (ms)';
  const faster = (than: string) => `Times as fast as ${than}, POST to visible`;
  report.ratio(faster('helm repo index --merge'), 'Helm: helm repo index --merge (ms)', visible);
  for (const peer of ['ChartMuseum, YAML', 'ChartMuseum, JSON']) {
    report.ratio(faster(peer), `${peer}: POST to visible (ms)`, visible);
    report.ratio(
      `Times as many publishes a second as ${peer}`,
      `${READ}: visible (publishes/s)`,
      `${peer}: ${READ}: visible (publishes/s)`,
    );
  }
  const cpu = 'Cost of a publish: CPU of one publish, handler and indexer (ms)';
  report.growth('CPU of one publish, the largest against the smallest', cpu);
}

await (values.cost || values.scaling ? printScaling(values) : main());
