import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { type IndexDependencies, refreshIndex } from '../shared/refresh.ts';
import type { ObjectStore } from '../shared/store/object-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';
import { memoryAudit } from '../test/store/memory-audit.ts';
import { memoryObjects } from '../test/store/memory-objects.ts';
import { memoryPointers } from '../test/store/memory-pointers.ts';
import { memoryVersions } from '../test/store/memory-versions.ts';
import { type Figure, hold } from './figures.ts';
import { root, seededVersion, seedStore } from './seed.ts';

const RUNS = 5;

type Counts = { chartsRead: number; bytesRead: number; bytesWritten: number };

/** The memory stores, with what a refresh reads and writes counted. */
function counted(versions: VersionStore): { dependencies: IndexDependencies; counts: Counts } {
  const counts: Counts = { chartsRead: 0, bytesRead: 0, bytesWritten: 0 };
  const objects = memoryObjects();
  const counting: ObjectStore = {
    ...objects,
    get: async (key) => {
      const bytes = await objects.get(key);
      counts.bytesRead += bytes?.length ?? 0;
      return bytes;
    },
    put: async (key, bytes, options) => {
      counts.bytesWritten += bytes.length;
      await objects.put(key, bytes, options);
    },
  };
  const dependencies: IndexDependencies = {
    versions: {
      ...versions,
      ofChart: (...args) => {
        counts.chartsRead += 1;
        return versions.ofChart(...args);
      },
    },
    pointers: memoryPointers(),
    audit: memoryAudit(),
    objects: counting,
    settings: { format: 'json', chartUrl: '', contextPath: '' },
    clock: systemClock,
    newId: randomUUID,
    report: () => {},
  };
  return { dependencies, counts };
}

const cpuMs = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

/**
 * The refresh step alone, over stores in memory. Its versions are looked up without a scan, so that what is
 * measured is the refresh and not the store.
 */
export async function refreshFigures(count: number): Promise<readonly Figure[]> {
  const store = memoryVersions({ pageItems: 1_000_000 });
  await seedStore(store, count);
  const changed = count - 1;
  const chart = await itemsOf(store, changed);
  const versions: VersionStore = {
    ...store,
    ofChart: async function* () {
      yield* chart;
    },
    marks: async function* () {
      const { id } = seededVersion(changed);
      yield { ...id, token: 'bench' };
    },
    indexed: async () => {},
  };
  const { dependencies, counts } = counted(versions);

  const beforeRebuild = process.cpuUsage();
  const built = await refreshIndex(dependencies, root, { rebuildAtMost: Number.POSITIVE_INFINITY });
  const rebuild = cpuMs(process.cpuUsage(beforeRebuild));
  hold('a rebuild lists every version', built.kind === 'refreshed' && built.pointer.versions === count);

  const cpu: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    Object.assign(counts, { chartsRead: 0, bytesRead: 0, bytesWritten: 0 });
    const before = process.cpuUsage();
    const outcome = await refreshIndex(dependencies, root, { rebuildAtMost: 0 });
    cpu.push(cpuMs(process.cpuUsage(before)));
    hold('a refresh makes an index current', outcome.kind === 'refreshed');
    hold('a refresh after one publish reads one chart', counts.chartsRead === 1);
  }
  const one = (name: string, unit: string, value: number): Figure => ({ name, unit, runs: [value] });
  return [
    { name: 'refresh after one publish, CPU', unit: 'ms', runs: cpu },
    one('refresh, charts read and rendered', 'charts', counts.chartsRead),
    one('refresh, read from S3', 'MB', counts.bytesRead / 1e6),
    one('refresh, written to S3', 'MB', counts.bytesWritten / 1e6),
    one('full rebuild, CPU', 'ms', rebuild),
    one('peak memory of the process, stores included', 'MB', process.resourceUsage().maxRSS / 1000),
  ];
}

async function itemsOf(store: VersionStore, n: number) {
  const { id } = seededVersion(n);
  const items = [];
  for await (const item of store.ofChart(root, id.name)) items.push(item);
  return items;
}
