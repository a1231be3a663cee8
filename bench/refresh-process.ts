import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { systemClock } from '../shared/clock.ts';
import type { ChartName } from '../shared/domain/chart-name.ts';
import { partSizes } from '../shared/domain/compose-index.ts';
import { type IndexDependencies, refreshIndex } from '../shared/refresh.ts';
import { bucket } from '../shared/store/bucket.ts';
import type { VersionItem } from '../shared/store/version-store.ts';
import { countedObjects } from '../test/store/counted-objects.ts';
import { memoryPointers } from '../test/store/memory-pointers.ts';
import { type Figure, hold } from './figures.ts';
import type { RefreshOptions } from './refresh.ts';
import { root, seededVersion, settingsOf, VERSIONS_OF_A_CHART } from './seed.ts';

/** Refreshes an index over a bucket in another process, and says what that took. */
type Order = {
  readonly clientConfig: Required<Pick<S3ClientConfig, 'region' | 'credentials'>> & {
    readonly endpoints: { readonly s3: string };
  };
  readonly bucketName: string;
  readonly count: number;
} & RefreshOptions;

const RUNS = 7;

/** Made as they are asked for, so that a table takes no memory here; the chart in the middle is marked. */
function seeded(count: number, versionsOfChart: number): IndexDependencies['versions'] {
  const item = (n: number): VersionItem => {
    const { id, pending } = seededVersion(n, versionsOfChart);
    return { ...id, live: pending, removed: false };
  };
  const marked = item(Math.floor(count / 2));
  async function* between(from: number, to: number) {
    for (let n = from; n < Math.min(to, count); n += 1) yield item(n);
  }
  const first = (name: ChartName) => Number(name.slice(name.lastIndexOf('-') + 1)) * versionsOfChart;
  return {
    marks: async function* () {
      yield { ...marked, token: 'bench' };
    },
    ofChart: (_root, name) => between(first(name), first(name) + versionsOfChart),
    ofRepository: () => between(0, count),
    indexed: async () => {},
  };
}

const cpuMs = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

async function measure({
  clientConfig,
  bucketName,
  count,
  versionsOfChart = VERSIONS_OF_A_CHART,
  wholeBytes = partSizes.wholeBytes,
}: Order): Promise<Figure[]> {
  const { region, credentials, endpoints } = clientConfig;
  const client = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  const { objects, bytes, calls } = countedObjects(bucket(client, bucketName));
  const dependencies: IndexDependencies = {
    versions: seeded(count, versionsOfChart),
    pointers: memoryPointers(),
    audit: { put: async () => {} },
    objects,
    settings: { format: 'json', chartUrl: '', contextPath: '' },
    settingsOf,
    partSizes: { ...partSizes, wholeBytes },
    clock: systemClock,
    newId: randomUUID,
    report: () => {},
  };
  const loaded = process.resourceUsage().maxRSS;

  const beforeRebuild = process.cpuUsage();
  const built = await refreshIndex(dependencies, root, { rebuildAtMost: Number.POSITIVE_INFINITY });
  const rebuild = cpuMs(process.cpuUsage(beforeRebuild));
  hold('a rebuild lists every version', built.kind === 'refreshed' && built.pointer.versions === count);

  let charts = 0;
  const { ofChart } = dependencies.versions;
  const versions = {
    ...dependencies.versions,
    ofChart: (...args: Parameters<typeof ofChart>) => {
      charts += 1;
      return ofChart(...args);
    },
  };
  const cpu: number[] = [];
  const took: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    Object.assign(bytes, { got: 0, put: 0, sent: 0, copied: 0 });
    calls.length = 0;
    charts = 0;
    const [before, began] = [process.cpuUsage(), performance.now()];
    const outcome = await refreshIndex({ ...dependencies, versions }, root, { rebuildAtMost: 0 });
    cpu.push(cpuMs(process.cpuUsage(before)));
    took.push(performance.now() - began);
    hold('a refresh makes an index current', outcome.kind === 'refreshed');
    hold('a refresh after one publish reads one chart', charts === 1);
  }
  const one = (name: string, unit: string, value: number): Figure => ({ name, unit, runs: [value] });
  return [
    { name: 'refresh after one publish', unit: 'ms', runs: took },
    { name: 'refresh after one publish, CPU', unit: 'ms', runs: cpu },
    one('refresh, calls to S3', 'calls', calls.length),
    one('refresh, read from S3', 'MB', bytes.got / 1e6),
    one('refresh, sent to S3', 'MB', (bytes.put + bytes.sent) / 1e6),
    one('refresh, copied inside S3', 'MB', bytes.copied / 1e6),
    one('full rebuild, CPU', 'ms', rebuild),
    one('memory of the process before it', 'MB', loaded / 1000),
    one('peak memory of the process', 'MB', process.resourceUsage().maxRSS / 1000),
  ];
}

const [order]: Order[] = await once(process, 'message');
if (order === undefined) throw new Error('there is nothing to measure');
process.send?.(await measure(order));
