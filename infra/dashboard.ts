import {
  type Alarm,
  AlarmStatusWidget,
  GraphWidget,
  type HorizontalAnnotation,
  type IWidget,
  type Metric,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmRow } from './alarms.ts';
import { cloudMetrics, type Watched } from './cloud-metrics.ts';

/** An alarm that is there, and what it was made of. */
export type Made = { readonly row: AlarmRow; readonly alarm: Alarm };

/** By what they are called beside the graph. */
type Curves = Readonly<Record<string, Metric>>;

type Graph = {
  readonly title: string;
  readonly left: Curves;
  readonly right?: Curves;
  /** Alarms whose thresholds are drawn, on the left. */
  readonly thresholds?: readonly string[];
};

// CloudWatch's grid.
const WHOLE_WIDTH = 24;
const HEIGHT = 6;
// As many alarms as stand beside each other.
const ALARMS_A_ROW = 4;

/** The dashboard's rows, in the order in which an operator asks: is it well, for whom is it not, and why. */
export function dashboardRows(watched: Watched, alarms: readonly Made[]): IWidget[][] {
  const status = new AlarmStatusWidget({
    title: 'Is it well?',
    alarms: alarms.map(({ alarm }) => alarm),
    width: WHOLE_WIDTH,
    height: 1 + Math.ceil(alarms.length / ALARMS_A_ROW),
  });
  const lineOf = (name: string): HorizontalAnnotation[] =>
    alarms.flatMap(({ row }) => (row.name === name ? { value: row.threshold, label: name } : []));
  const graphs = graphRows(watched).map((row) =>
    row.map(
      ({ title, left, right = {}, thresholds = [] }) =>
        new GraphWidget({
          title,
          left: labelled(left),
          right: labelled(right),
          leftAnnotations: thresholds.flatMap(lineOf),
          leftYAxis: { min: 0 },
          rightYAxis: { min: 0 },
          width: WHOLE_WIDTH / row.length,
          height: HEIGHT,
        }),
    ),
  );
  return [[status], ...graphs];
}

const labelled = (curves: Curves): Metric[] =>
  Object.entries(curves).map(([label, metric]) => metric.with({ label }));

function graphRows(watched: Watched): readonly (readonly Graph[])[] {
  const from = cloudMetrics(watched);
  const rows: (readonly Graph[])[] = [
    [
      { title: 'Requests', left: { requests: from.api('Count', 'Sum') } },
      {
        title: 'Refused and failed requests',
        left: { '4xx': from.api('4xx', 'Sum'), '5xx': from.api('5xx', 'Sum') },
      },
      {
        title: 'Latency (ms)',
        left: { median: from.api('Latency', 'p50'), '99 of 100': from.api('Latency', 'p99') },
      },
    ],
    [
      {
        title: 'Publishing',
        left: { published: from.own('Published', 'Sum'), rejected: from.own('Rejected', 'Sum') },
      },
      {
        title: 'Refreshing; on the right what failed',
        left: { refreshed: from.own('Refreshed', 'Sum') },
        right: {
          'refresh failed': from.own('RefreshFailed', 'Sum'),
          'rebuild put off': from.own('RebuildPutOff', 'Sum'),
          'clean-up failed': from.own('CleanUpFailed', 'Sum'),
          'errors of the indexer': from.errors('indexer', 'Sum'),
        },
      },
      {
        title: 'How late an index follows (s)',
        left: {
          'oldest mark': from.own('OldestMark', 'Maximum'),
          'event lag, median': from.own('EventLag', 'p50'),
          'event lag, longest': from.own('EventLag', 'Maximum'),
        },
        thresholds: ['OldestMark'],
      },
    ],
    [
      {
        title: 'Largest index (bytes)',
        left: { 'index size': from.own('IndexSize', 'Maximum') },
        thresholds: ['IndexSize5MB', 'IndexSize20MB', 'IndexSize40MB'],
      },
      {
        title: 'Most versions in an index; on the right GB of a repository in the table',
        left: { versions: from.own('IndexVersions', 'Maximum') },
        right: { 'collection size': from.own('CollectionSize', 'Maximum') },
      },
      {
        title: 'Losses, and what passes found',
        left: {
          'index shrank': from.own('IndexShrank', 'Sum'),
          'pointer lost': from.own('PointerLost', 'Sum'),
          'damage found': from.own('DamageFound', 'Sum'),
          'damage mended': from.own('DamageMended', 'Sum'),
          'errors of the reconciler': from.errors('reconciler', 'Sum'),
          'errors of the repairer': from.errors('repairer', 'Sum'),
        },
      },
    ],
    [
      {
        title: 'Queue of events; on the right the age of the oldest (s)',
        left: { waiting: from.queue('queue', 'ApproximateNumberOfMessagesVisible', 'Maximum') },
        right: { oldest: from.queue('queue', 'ApproximateAgeOfOldestMessage', 'Maximum') },
      },
      {
        title: 'Dead letters',
        left: { 'dead letters': from.queue('deadLetters', 'ApproximateNumberOfMessagesVisible', 'Maximum') },
      },
    ],
    [
      {
        title: 'Table: throttled; on the right units used',
        left: {
          'reads throttled': from.table('ReadThrottleEvents', 'Sum'),
          'writes throttled': from.table('WriteThrottleEvents', 'Sum'),
        },
        right: {
          'read units': from.table('ConsumedReadCapacityUnits', 'Sum'),
          'write units': from.table('ConsumedWriteCapacityUnits', 'Sum'),
        },
      },
      {
        title: 'All functions of the account: throttled; on the right running at once',
        left: { throttled: from.allFunctions('Throttles', 'Sum') },
        right: { running: from.allFunctions('ConcurrentExecutions', 'Maximum') },
      },
      {
        title: 'Denied',
        left: { denied: from.own('Denied', 'Sum'), 'bad credentials': from.own('BadCredentials', 'Sum') },
      },
    ],
  ];
  if (watched.canaryMinutes) {
    rows.push([
      { title: 'Canary: 1 where all was well', left: { succeeded: from.own('CanarySucceeded', 'Minimum') } },
      {
        title: 'Canary: from its upload to the index (ms)',
        left: { publish: from.own('CanaryPublish', 'Maximum') },
      },
    ]);
  }
  return rows;
}
