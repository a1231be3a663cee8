import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startLocal } from '../local/stack.ts';
import { countCalls, type Operation } from './calls.ts';
import {
  assumed,
  atLeast,
  atRest,
  atRestWithFree,
  billedMs,
  chartMuseumMonth,
  harborMonth,
  type Month,
  ourMonth,
  type PerMillion,
  perMillion,
  restRows,
} from './cost.ts';
import { type Prices, prices } from './prices.ts';

const DOCUMENTS = ['../docs/scaling.md', '../README.md'].map((file) => path.join(import.meta.dirname, file));
const PASSWORD = 'counts every call';

type Row = readonly (string | number)[];

/** A table in Markdown. */
export function markdown(heads: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.join(' | ')} |`;
  return [line(heads), `|${'---|'.repeat(heads.length)}`, ...rows.map(line)].join('\n');
}

const dollars = (amount: number) =>
  amount >= 100 ? Math.round(amount).toLocaleString('en') : amount.toFixed(2);
const megabytes = (bytes: number) => (bytes < 50_000 ? '' : (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0));
/** Nothing is easier to overlook than a nought among numbers. */
const orNothing = (count: number) => (count === 0 ? '' : count);

function callsTable(operations: readonly Operation[]): string {
  return markdown(
    [
      'operation',
      'API Gateway',
      'Lambda',
      'calls of DynamoDB',
      'read units',
      'write units',
      'S3 PUT, LIST',
      'S3 GET',
      'SQS',
      'MB from S3',
      'MB to S3',
    ],
    operations.map(({ name, requests, batches, calls }) => [
      name,
      orNothing(requests),
      requests + batches,
      calls.dynamoDbCalls,
      orNothing(calls.readUnits),
      orNothing(calls.writeUnits),
      orNothing(calls.s3Puts),
      orNothing(calls.s3Gets),
      orNothing(3 * batches),
      megabytes(calls.bytesFromS3),
      megabytes(calls.bytesToS3),
    ]),
  );
}

function costTable(operations: readonly Operation[], of: Prices): string {
  return markdown(
    ['a million of', 'memory (MB)', 'billed (ms)', 'cost'],
    operations.map((operation) => [
      operation.name,
      operation.memoryMegabytes,
      Math.round(billedMs(operation)),
      `$${dollars(perMillion(operation, of))}`,
    ]),
  );
}

const named: Readonly<Record<keyof PerMillion, string>> = {
  unchanged: 'index, unchanged',
  inline: 'index, inline',
  redirect: 'index, by redirect',
  chartIndex: 'index of one chart',
  download: 'package',
  list: 'list of charts',
  publish: 'publish, answered',
  delete: 'delete of a version',
  smallRefresh: 'refresh by the indexer, a small',
  largeRefresh: 'refresh by the indexer, an index of 40',
};

/** What a month is made of, out of what was counted. */
export function eachOf(operations: readonly Operation[], of: Prices): PerMillion {
  const cost = (start: string) => {
    const operation = operations.find(({ name }) => name.startsWith(start));
    if (operation === undefined) throw new Error(`there is no operation ${start}`);
    return perMillion(operation, of);
  };
  const entries = Object.entries(named).map(([key, start]) => [key, cost(start)]);
  return Object.fromEntries(entries) as Record<keyof PerMillion, number>;
}

const MILLION = 1e6;

/** Four in five reads find the index unchanged, as clients do that ask again and again. */
const aMonth = (name: string, versions: number, publishes: number, readMillions: number): Month => ({
  name,
  versions,
  publishes,
  unchanged: readMillions * MILLION * 0.8,
  reads: readMillions * MILLION * 0.2,
  downloads: (readMillions * MILLION) / 10,
});

const months: readonly Month[] = [
  aMonth('a team', 1_000, 300, 0.1),
  aMonth('a company', 10_000, 10_000, 3),
  aMonth('a large one', 100_000, 50_000, 30),
  aMonth('a public one', 10_000, 1_000, 300),
];

function monthsTable(each: PerMillion, of: Prices): string {
  return markdown(
    [
      'a month of',
      'versions',
      'publishes',
      'index reads (million)',
      'downloads (million)',
      'Chartroom',
      'ChartMuseum on Fargate',
      'Harbor on EKS',
    ],
    months.map((month) => [
      month.name,
      month.versions.toLocaleString('en'),
      month.publishes.toLocaleString('en'),
      (month.unchanged + month.reads) / MILLION,
      month.downloads / MILLION,
      `$${dollars(ourMonth(month, each, of))}`,
      `$${dollars(chartMuseumMonth(month, of))}`,
      `$${dollars(harborMonth(month, of))}`,
    ]),
  );
}

/** What a million of one thing costs where a month has so many of it, and nothing else. */
function besideTable(each: PerMillion, of: Prices): string {
  const nothing = { name: '', versions: 10_000, publishes: 0, unchanged: 0, reads: 0, downloads: 0 };
  const kinds: readonly (readonly [string, readonly number[], (millions: number) => Month])[] = [
    [
      'index reads',
      [0.1, 1, 10, 100],
      (millions) => ({ ...aMonth('', nothing.versions, 0, millions), downloads: 0 }),
    ],
    ['downloads', [0.1, 1, 10, 100], (millions) => ({ ...nothing, downloads: millions * MILLION })],
    ['publishes', [0.001, 0.01, 0.1, 1], (millions) => ({ ...nothing, publishes: millions * MILLION })],
  ];
  const rows = kinds.flatMap(([kind, amounts, monthOf]) =>
    amounts.map((millions) => {
      const month = monthOf(millions);
      const costs = [ourMonth(month, each, of), chartMuseumMonth(month, of), harborMonth(month, of)];
      return [kind, millions, ...costs.map((cost) => `$${dollars(cost / millions)}`)];
    }),
  );
  return markdown(
    ['a million', 'of which a month has (million)', 'Chartroom', 'ChartMuseum on Fargate', 'Harbor on EKS'],
    rows,
  );
}

/** From how many index reads a month on a server costs less, all else left out. */
function breakEven(each: PerMillion, of: Prices): string {
  const nothing = { name: '', publishes: 0, unchanged: 0, reads: 0, downloads: 0 };
  const perRead = 0.8 * each.unchanged + 0.2 * each.inline;
  const rows = [
    ['ChartMuseum, 0.25 vCPU (1,000 versions)', chartMuseumMonth({ ...nothing, versions: 1_000 }, of)],
    ['ChartMuseum, 0.5 vCPU (10,000)', chartMuseumMonth({ ...nothing, versions: 10_000 }, of)],
    ['ChartMuseum, 2 vCPU (100,000)', chartMuseumMonth({ ...nothing, versions: 100_000 }, of)],
    ['Harbor', harborMonth({ ...nothing, versions: 10_000 }, of)],
  ] as const;
  return markdown(
    [
      'beside',
      'it costs a month',
      'Chartroom costs less up to (million reads a month)',
      'which is (a second)',
    ],
    rows.map(([name, cost]) => {
      const reads = (cost - atRest(each, of)) / perRead;
      return [name, `$${dollars(cost)}`, reads.toFixed(0), ((reads * MILLION) / (730 * 3600)).toFixed(1)];
    }),
  );
}

function restTable(each: PerMillion, of: Prices): string {
  const rows = restRows(each, of).map(({ name, cost, without }) => [
    name,
    `$${dollars(cost)}`,
    without === undefined ? '' : `\`${without}\``,
  ]);
  return markdown(
    ['at rest, a month', '', 'nothing of it with'],
    [
      ...rows,
      ['**by default**', `**$${dollars(atRest(each, of))}**`, ''],
      [
        "with CloudWatch's free tier: 10 alarms, 10 metrics, 3 dashboards an account",
        `$${dollars(atRestWithFree(each, of))}`,
        '',
      ],
      ['without alarms and canary', `$${dollars(atLeast(each, of))}`, ''],
    ],
  );
}

const units: Readonly<Record<keyof Prices, string>> = {
  apiRequests: 'API Gateway, HTTP API: million requests of up to 512 KB',
  lambdaRequests: 'Lambda: million requests',
  lambdaGigabyteSeconds: 'Lambda on ARM: million GB-seconds',
  readUnits: 'DynamoDB on demand: million read request units',
  writeUnits: 'DynamoDB on demand: million write request units',
  s3Puts: 'S3 Standard: million PUT, COPY, POST, LIST',
  s3Gets: 'S3 Standard: million GET, HEAD',
  sqsRequests: 'SQS: million requests',
  logGigabytes: 'CloudWatch Logs: GB taken in',
  alarms: 'CloudWatch: alarm a month',
  dashboards: 'CloudWatch: dashboard a month',
  metrics: 'CloudWatch: metric a month, by the hours in which it has values',
  trafficGigabytes: 'traffic to the internet: GB',
  s3Gigabytes: 'S3 Standard: GB a month',
  tableGigabytes: 'DynamoDB with point-in-time recovery: GB a month',
  secrets: 'Secrets Manager: secret a month',
  fargateCpus: 'Fargate on x86: vCPU an hour',
  fargateGigabytes: 'Fargate on x86: GB an hour',
  loadBalancers: 'Application Load Balancer: hour',
  loadBalancerUnits: 'its capacity unit: hour',
  addresses: 'public IPv4 address: hour',
  clusters: 'EKS control plane: hour',
  nodes: 'EC2 m5.large: hour',
  diskGigabytes: 'EBS gp3: GB a month',
  databases: 'RDS db.t4g.medium, PostgreSQL, one zone: hour',
  databaseGigabytes: 'RDS gp3: GB a month',
  caches: 'ElastiCache cache.t4g.small: hour',
};

const pricesTable = (of: Prices) =>
  markdown(
    ['price', '$'],
    Object.entries(units).map(([key, unit]) => [unit, of[key as keyof Prices]]),
  );

const assumptions = () =>
  markdown(
    ['assumed', ''],
    [
      ['a call of DynamoDB', `${assumed.dynamoDbMs} ms`],
      ['a call of S3, without what it carries', `${assumed.s3Ms} ms`],
      ['one stream between a function and S3', `${assumed.megabytesPerSecond} MB/s`],
      ['CPU for a MB that a function reads or writes', `${assumed.cpuMsPerMegabyte} ms`],
      ['all else in one run', `${assumed.handlingMs} ms`],
      ['what Lambda logs of one run', `${assumed.logBytes} bytes`],
      ['what the API logs of one request', `${assumed.accessLogBytes} bytes`],
      ['what a function logs of a change', `${assumed.changeLogBytes} bytes`],
      ['what the indexer logs of one batch', `${assumed.batchLogBytes} bytes`],
      ['a run of the canary, which mostly waits', `${assumed.canaryMs} ms`],
      ['an item of the audit', `${assumed.auditBytes} bytes`],
    ],
  );

/** The tables of docs/scaling.md that are made of what is counted, by their names. */
export function costBlocks(
  operations: readonly Operation[],
  of: Prices = prices,
): Readonly<Record<string, string>> {
  const each = eachOf(operations, of);
  return {
    calls: callsTable(operations),
    cost: costTable(operations, of),
    assumed: assumptions(),
    rest: restTable(each, of),
    months: monthsTable(each, of),
    beside: besideTable(each, of),
    'break-even': breakEven(each, of),
    prices: pricesTable(of),
  };
}

const around = (name: string) => [`<!-- ${name} -->\n\n`, `\n\n<!-- end of ${name} -->`] as const;

/** What the document holds between the marks of a name. */
export function blockIn(document: string, name: string): string {
  const [before, after] = around(name);
  const start = document.indexOf(before) + before.length;
  const end = document.indexOf(after, start);
  if (start < before.length || end < start) throw new Error(`there is no place for ${name}`);
  return document.slice(start, end);
}

/** Prints tables, or puts them into the documents, wherever there is a place for them. */
export async function show(blocks: Readonly<Record<string, string>>, write: boolean): Promise<void> {
  if (!write) return void console.log(Object.values(blocks).join('\n\n'));
  for (const file of DOCUMENTS) {
    let document = await readFile(file, 'utf8');
    for (const [name, block] of Object.entries(blocks)) {
      const [before, after] = around(name);
      if (!document.includes(before)) continue;
      document = document.replace(
        `${before}${blockIn(document, name)}${after}`,
        () => `${before}${block}${after}`,
      );
    }
    await writeFile(file, document);
  }
}

/** Counts the calls on a local stack of its own. */
export async function countedOperations(assembly?: string): Promise<readonly Operation[]> {
  const own = assembly === undefined ? { access: 'closed' as const } : { assembly };
  const stack = await startLocal({ ...own, adminPassword: PASSWORD });
  try {
    return await countCalls(stack, PASSWORD);
  } finally {
    await stack.stop();
  }
}
