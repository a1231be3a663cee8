import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { helmBinary } from '../test/helm/binary.ts';
import { chartMuseumStorage, removeStorage, startChartMuseum } from './chartmuseum.ts';
import { clientFigures } from './clients.ts';
import { coldFigures } from './cold.ts';
import { costFigures } from './costs.ts';
import { crowdFigures, ownCrowdFigures } from './crowd.ts';
import { type Figure, one } from './figures.ts';
import { helmIndexFigures, seededVersions, yamlIndex } from './helm-index.ts';
import { helmReads, packageFigures, shapes } from './package.ts';
import { readFigures } from './reads.ts';
import { refreshFigures } from './refresh.ts';
import { repairFigures } from './repair.ts';
import { Report } from './report.ts';
import { startStack } from './stack-process.ts';
import { unreadFigures, visibleFigures } from './visible.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    sizes: { type: 'string' },
    // Measures one refresh in this process and prints its figures as JSON; the others start it.
    'refresh-of': { type: 'string' },
    // The same, of one publish of the package in a file.
    'publish-of': { type: 'string' },
  },
});

const { quick, full } = values;
const usual = quick ? '1000' : full ? '1000,10000,100000' : '1000,10000';
const sizes = (values.sizes ?? usual).split(',').map(Number);
const runs = quick ? 3 : 7;
const helm = helmBinary();
const chartMuseum = process.env['CHARTMUSEUM'];
const report = new Report(sizes);

async function main(): Promise<void> {
  const single = values['refresh-of'];
  if (single !== undefined) {
    console.log(JSON.stringify(await refreshFigures(Number(single))));
    return;
  }
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
    if (full && chartMuseum) await addChartMuseum(size, chartMuseum);
    report.add('The refresh step alone', size, await inFreshProcess('--refresh-of', String(size)));
    // A minute for 10,000, and it is about what is lost and not about what is published.
    if (size <= 10_000) await addRepair(size);
  }
  for (const [title, make] of Object.entries(shapes)) await addPackage(title, await make());
  addRatios();
  console.log(`\n${conditions}\n\n${report.markdown()}`);
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
    const crowd = { versionsEach: 100, seconds: 20 };
    const unread = await ownCrowdFigures(stack, { ...crowd, name: 'unread', readers: 0 });
    report.add('Chartroom, 20 publishers and no reader', size, unread);
    const read = await ownCrowdFigures(stack, { ...crowd, name: 'read', readers: 1 });
    report.add('Chartroom, 20 publishers and a reader', size, read);
  } finally {
    await stack.stop();
  }
}

async function addHelm(size: number): Promise<void> {
  if (helm === undefined) return console.log('helm repo index --merge: left out, there is no helm on PATH');
  const yaml = yamlIndex(seededVersions(size));
  report.add('Helm', size, await helmIndexFigures(helm, yaml, quick || size > 10_000 ? 1 : 3));
}

async function addChartMuseum(size: number, binary: string): Promise<void> {
  const folder = await chartMuseumStorage(size);
  try {
    for (const [name, flags] of [
      ['ChartMuseum, YAML', []],
      ['ChartMuseum, JSON', ['--json-index']],
    ] as const) {
      const peer = await startChartMuseum(binary, { folder, flags, atLeast: size });
      try {
        const times = size > 10_000 && flags.length === 0 ? 2 : 5;
        const before = peer.cpuMs();
        const versions = flags.length === 0 ? '2.0.0' : '2.1.0';
        report.add(name, size, await visibleFigures(peer.url, size, times, versions));
        // One more of them warmed it.
        const cpuMs = (peer.cpuMs() - before) / (times + 1);
        report.add(name, size, [one('CPU of a publish and the read that shows it', 'ms', cpuMs)]);
        const crowd = { name: `crowd${flags.length}`, versionsEach: 20, seconds: 20, readers: 1 };
        const { figures } = await crowdFigures(peer.url, crowd);
        report.add(`${name}, 20 publishers and a reader`, size, figures);
      } finally {
        await peer.stop();
      }
    }
  } finally {
    await removeStorage(folder);
  }
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
    const publishers = (of: string, and: string) =>
      `${of}, 20 publishers and ${and}: 20 publishers (publishes/s)`;
    report.ratio(
      `Times as many publishes a second as ${peer}, with a reader`,
      publishers('Chartroom', 'a reader'),
      publishers(peer, 'a reader'),
    );
  }
  const cpu = 'Cost of a publish: CPU of one publish, handler and indexer (ms)';
  report.growth('CPU of one publish, the largest against the smallest', cpu);
}

await main();
