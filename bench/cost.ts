import type { Metric } from '../shared/metrics.ts';
import type { Operation } from './calls.ts';
import type { Calls } from './meter.ts';
import type { Prices } from './prices.ts';

/** What is not counted but taken to be so: none of it was measured on AWS. */
export const assumed = {
  /** From a function to the table and back. */
  dynamoDbMs: 5,
  /** From a function to the bucket and back, without what is carried. */
  s3Ms: 25,
  /** One stream between a function and the bucket. */
  megabytesPerSecond: 80,
  /** CPU for a megabyte that a function reads or writes. */
  cpuMsPerMegabyte: 5,
  /** All else that a function does in one run. */
  handlingMs: 8,
  /** What Lambda writes into the log of one run. */
  logBytes: 500,
  /** What the API writes into its log of one request. */
  accessLogBytes: 300,
  /** What a function writes of a change that it made, and the indexer of a batch: the lag of its events, a refresh. */
  changeLogBytes: 700,
  batchLogBytes: 1_300,
  /** How long the canary runs; it waits most of the time. */
  canaryMs: 2_000,
  /** What an item of the audit takes of the table. */
  auditBytes: 1_300,
} as const;

const MEGABYTE = 1e6;
const HOURS = 730;

/** Requests to SQS for one batch: the event is sent, received and deleted. */
const SQS_REQUESTS = 3;

/** Five pollers, each asking three times a minute, whether there are events or not. */
const EMPTY_RECEIVES = (5 * 3 * 60 * HOURS) / 1e6;

/** How long the functions of an operation are billed for, as if each call waited for the one before. */
export function billedMs({ requests, batches, calls }: Operation): number {
  const megabytes = (calls.bytesFromS3 + calls.bytesToS3) / MEGABYTE;
  return (
    (requests + batches) * assumed.handlingMs +
    calls.dynamoDbCalls * assumed.dynamoDbMs +
    calls.s3Waits * assumed.s3Ms +
    megabytes * (1000 / assumed.megabytesPerSecond + assumed.cpuMsPerMegabyte)
  );
}

/** Dollars for a million of an operation, without traffic to the internet. */
export function perMillion(operation: Operation, prices: Prices): number {
  const { requests, batches, calls, memoryMegabytes } = operation;
  const runs = requests + batches;
  const gigabyteSeconds = (billedMs(operation) / 1000) * (memoryMegabytes / 1024);
  return (
    requests * prices.apiRequests +
    runs * prices.lambdaRequests +
    gigabyteSeconds * prices.lambdaGigabyteSeconds +
    priced(calls, prices) +
    batches * SQS_REQUESTS * prices.sqsRequests +
    (loggedBytes(operation) / 1000) * prices.logGigabytes
  );
}

/** A function that only reads writes no line of its own. */
const isRead = ({ functionId }: Operation) => /^(get|list)-/.test(functionId);

const loggedBytes = (operation: Operation) =>
  (operation.requests + operation.batches) * assumed.logBytes +
  operation.requests * (assumed.accessLogBytes + (isRead(operation) ? 0 : assumed.changeLogBytes)) +
  operation.batches * assumed.batchLogBytes;

const priced = (calls: Calls, prices: Prices) =>
  calls.readUnits * prices.readUnits +
  calls.writeUnits * prices.writeUnits +
  calls.s3Puts * prices.s3Puts +
  calls.s3Gets * prices.s3Gets;

/** A month of a repository, or of all of them. */
export type Month = {
  readonly name: string;
  readonly versions: number;
  readonly publishes: number;
  /** Reads of the index that find it unchanged, and those that do not. */
  readonly unchanged: number;
  readonly reads: number;
  readonly downloads: number;
};

// What a version keeps: a package with its chart files, and items with 700 bytes of entry.
const PACKAGE_BYTES = 60_000;
const ITEM_BYTES = 2_000;

const storage = ({ versions }: Month, prices: Prices) =>
  ((versions * PACKAGE_BYTES) / 1e9) * prices.s3Gigabytes +
  ((versions * ITEM_BYTES) / 1e9) * prices.tableGigabytes;

/** Which operations a month is made of. */
export type PerMillion = {
  readonly unchanged: number;
  readonly inline: number;
  readonly redirect: number;
  readonly chartIndex: number;
  readonly download: number;
  readonly list: number;
  readonly publish: number;
  readonly delete: number;
  readonly smallRefresh: number;
  readonly largeRefresh: number;
};

/** What the settings make by default, beside what is paid for by use (infra/). */
export const byDefault = { alarms: 20, dashboards: 1, canaryMetrics: 2, canaryMinutes: 15, auditDays: 400 };

/** Something that costs though nobody calls, for a month. */
export type RestRow = {
  readonly name: string;
  readonly cost: number;
  /** The setting that leaves it out. */
  readonly without?: 'alarms=false' | 'canaryMinutes=0';
};

/** What costs though nobody calls, with all settings as they are by default. */
export function restRows(each: PerMillion, prices: Prices): readonly RestRow[] {
  const { alarms, dashboards, canaryMetrics, canaryMinutes } = byDefault;
  const alarming = { without: 'alarms=false' } as const;
  const canary = { without: 'canaryMinutes=0' } as const;
  const runs = (HOURS * 60) / canaryMinutes;
  const often = `every ${canaryMinutes} minutes: ${runs.toLocaleString('en')} runs with all that they call`;
  return [
    { name: "the secret with the admin's password", cost: prices.secrets },
    {
      name: 'Lambda that asks the empty queue, 5 pollers 3 times a minute',
      cost: EMPTY_RECEIVES * prices.sqsRequests,
    },
    { name: `${alarms} alarms`, cost: alarms * prices.alarms, ...alarming },
    { name: 'their dashboard', cost: dashboards * prices.dashboards, ...alarming },
    {
      name: `the ${canaryMetrics} metrics of the canary`,
      cost: canaryMetrics * prices.metrics,
      ...canary,
    },
    { name: `the canary, ${often}`, cost: runs * canaryRun(each, prices), ...canary },
  ];
}

// A secret, a version published, a version deleted.
const AUDITED_BY_RUN = 3;
// To make its repository and account what they are to be.
const CANARY_READS = 5;
const CANARY_WRITES = 6;

/** What one run of the canary costs, with what the audit keeps of it until that is forgotten. */
function canaryRun(each: PerMillion, prices: Prices): number {
  const requests = each.publish + each.inline + 2 * each.download + each.chartIndex + each.delete + each.list;
  const gigabyteSeconds = (assumed.canaryMs / 1000) * (512 / 1024);
  const itself =
    prices.lambdaRequests +
    gigabyteSeconds * prices.lambdaGigabyteSeconds +
    CANARY_READS * prices.readUnits +
    CANARY_WRITES * prices.writeUnits;
  const audit = (AUDITED_BY_RUN * assumed.auditBytes * prices.tableGigabytes) / 1e9;
  const monthsKept = (byDefault.auditDays * 24) / HOURS;
  return (requests + 2 * each.smallRefresh + itself) / 1e6 + audit * monthsKept;
}

const total = (rows: readonly RestRow[]) => rows.reduce((sum, { cost }) => sum + cost, 0);

/** What a month costs where nobody calls, with all settings as they are by default. */
export const atRest = (each: PerMillion, prices: Prices): number => total(restRows(each, prices));

/** The same with `alarms=false` and `canaryMinutes=0`. */
export const atLeast = (each: PerMillion, prices: Prices): number =>
  total(restRows(each, prices).filter(({ without }) => without === undefined));

/** What CloudWatch gives each account for nothing, a month. */
const FREE = { alarms: 10, dashboards: 3, metrics: 10 };

/** As by default, where nothing else in the account uses what CloudWatch gives for nothing. */
export function atRestWithFree(each: PerMillion, prices: Prices): number {
  const { alarms, dashboards, canaryMetrics } = byDefault;
  return (
    atRest(each, prices) -
    Math.min(alarms, FREE.alarms) * prices.alarms -
    Math.min(dashboards, FREE.dashboards) * prices.dashboards -
    Math.min(canaryMetrics, FREE.metrics) * prices.metrics
  );
}

// What a publish gives a value; a metric is paid for by the hours in which it has one.
const PUBLISH_METRICS: readonly Metric[] = [
  'Published',
  'EventLag',
  'Refreshed',
  'IndexSize',
  'IndexVersions',
  'OldestMark',
  'CollectionSize',
];

/** As if each publish were in an hour of its own while there are hours. */
const publishMetrics = ({ publishes }: Month, prices: Prices) =>
  PUBLISH_METRICS.length * prices.metrics * Math.min(1, publishes / HOURS);

// An index with 700 bytes a version is sent by redirect above 700 of them, and is copied whole up to some 10,000.
const INLINE_VERSIONS = 700;
const SMALL_VERSIONS = 10_000;

/** A month of Chartroom as it is by default, if every publish is followed by a refresh of its own. */
export function ourMonth(month: Month, each: PerMillion, prices: Prices): number {
  const { versions, publishes, unchanged, reads, downloads } = month;
  const refresh = versions > SMALL_VERSIONS ? each.largeRefresh : each.smallRefresh;
  const millions =
    unchanged * each.unchanged +
    reads * (versions > INLINE_VERSIONS ? each.redirect : each.inline) +
    downloads * each.download +
    publishes * (each.publish + refresh);
  return atRest(each, prices) + publishMetrics(month, prices) + millions / 1e6 + storage(month, prices);
}

/** ChartMuseum as one Fargate task that is always on, behind a load balancer in two zones, over S3. */
export function chartMuseumMonth(month: Month, prices: Prices): number {
  // Its index is in its memory, and rebuilt by one CPU at each publish: 0.3, 2.4 and 31 s at these sizes.
  const [cpus, gigabytes] =
    month.versions <= 1_000 ? [0.25, 0.5] : month.versions <= 10_000 ? [0.5, 1] : [2, 4];
  const hourly =
    cpus * prices.fargateCpus +
    gigabytes * prices.fargateGigabytes +
    prices.loadBalancers +
    prices.loadBalancerUnits +
    3 * prices.addresses;
  const s3 = month.downloads * prices.s3Gets + month.publishes * 3 * prices.s3Puts;
  return hourly * HOURS + s3 / 1e6 + storage(month, prices);
}

/** Harbor on EKS: control plane, two nodes, PostgreSQL, Redis, load balancer, over S3. */
export function harborMonth(month: Month, prices: Prices): number {
  const hourly =
    prices.clusters +
    2 * prices.nodes +
    prices.databases +
    prices.caches +
    prices.loadBalancers +
    prices.loadBalancerUnits +
    4 * prices.addresses;
  const disks = 2 * 50 * prices.diskGigabytes + 20 * prices.databaseGigabytes;
  const s3 = month.downloads * prices.s3Gets + month.publishes * 3 * prices.s3Puts;
  return hourly * HOURS + disks + s3 / 1e6 + storage(month, prices);
}
