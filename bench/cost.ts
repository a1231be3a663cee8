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
    ((runs * assumed.logBytes) / 1000) * prices.logGigabytes
  );
}

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

/** What a month costs where nobody calls. */
export const atRest = (prices: Prices): number => prices.secrets + EMPTY_RECEIVES * prices.sqsRequests;

/** Which operations a month is made of. */
export type PerMillion = {
  readonly unchanged: number;
  readonly inline: number;
  readonly redirect: number;
  readonly download: number;
  readonly publish: number;
  readonly smallRefresh: number;
  readonly largeRefresh: number;
};

// An index with 700 bytes a version is sent by redirect above 700 of them, and is copied whole up to some 10,000.
const INLINE_VERSIONS = 700;
const SMALL_VERSIONS = 10_000;

/** A month of Chartroom, if every publish is followed by a refresh of its own. */
export function ourMonth(month: Month, each: PerMillion, prices: Prices): number {
  const { versions, publishes, unchanged, reads, downloads } = month;
  const refresh = versions > SMALL_VERSIONS ? each.largeRefresh : each.smallRefresh;
  const millions =
    unchanged * each.unchanged +
    reads * (versions > INLINE_VERSIONS ? each.redirect : each.inline) +
    downloads * each.download +
    publishes * (each.publish + refresh);
  return atRest(prices) + millions / 1e6 + storage(month, prices);
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
