import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type CloudMetrics, cloudMetrics, type Watched } from './cloud-metrics.ts';

/** What rings, and where it is said what to do then. */
export type AlarmRow = {
  /** Follows the stack's name and a dash; without one of its own, so that two stacks never have the same. */
  readonly name: string;
  /** With its statistic, and the period over which that is taken. */
  readonly metric: IMetric;
  readonly threshold: number;
  /** @default at the threshold or above it */
  readonly comparison?: ComparisonOperator;
  /** In how many periods, one after the other. @default 1 */
  readonly periods?: number;
  /** Of how many periods these may be any. @default of as many, so all of them */
  readonly within?: number;
  /** @default notBreaching: what is only counted when it happens says nothing while all is well */
  readonly whenMissing?: TreatMissingData;
  /** One sentence. */
  readonly means: string;
  /** The heading of docs/runbook.md, as the anchor of a link. */
  readonly section: string;
};

const QUARTER = Duration.minutes(15);
const HOUR = Duration.hours(1);
// What happens once stays to be seen by who looks the next morning; what grows is measured once a day.
const DAY = Duration.days(1);

const megabytes = (count: number) => count * 1_000_000;

/** Every alarm of a deployment. */
export function alarmRows(watched: Watched): readonly AlarmRow[] {
  const from = cloudMetrics(watched);
  return [...indexing(from), ...losses(from), ...growth(from), ...requests(from), ...canary(from, watched)];
}

const indexing = (from: CloudMetrics): readonly AlarmRow[] => [
  {
    name: 'DeadLetters',
    metric: from.queue('deadLetters', 'ApproximateNumberOfMessagesVisible', 'Maximum'),
    threshold: 1,
    means:
      'An event failed five times and was set aside: an index may lack a change until somebody reads it.',
    section: 'events-failed',
  },
  {
    name: 'EventsWait',
    metric: from.queue('queue', 'ApproximateAgeOfOldestMessage', 'Maximum'),
    // Five tries, 150 s from each other, take 12.5 minutes; what is older was not even tried.
    threshold: 15 * 60,
    means: 'Events of the bucket wait for the indexer longer than five tries take.',
    section: 'events-wait',
  },
  {
    name: 'IndexerErrors',
    metric: from.errors('indexer', 'Sum', QUARTER),
    // A batch comes again after 150 s: what does not pass fails five times in that while, a hiccup once for each batch.
    threshold: 3,
    means: 'The indexer ended without an answer (out of time, out of memory, or a fault) again and again.',
    section: 'refreshing-fails',
  },
  {
    name: 'RefreshFailed',
    metric: from.own('RefreshFailed', 'Sum', QUARTER),
    // As above, but for each repository of a batch: a hiccup that meets three of them rings too.
    threshold: 3,
    means: 'The indexer could not bring indexes up to date, of one repository or several, and tries again.',
    section: 'refreshing-fails',
  },
  {
    name: 'OldestMark',
    metric: from.own('OldestMark', 'Maximum'),
    // The events bring a change into the index within seconds; four tries later it is something else than a hiccup.
    threshold: 10 * 60,
    means: 'A change waited for more than ten minutes to come into its index.',
    section: 'a-change-waits-for-its-index',
  },
  {
    name: 'ReconcilerErrors',
    metric: from.errors('reconciler', 'Sum', HOUR),
    threshold: 1,
    // It runs every hour and goes on where the run before stopped: one that fails is made good by the next.
    periods: 2,
    means: 'The hourly pass failed two hours in a row: leftovers stay, and what is lost is not noticed.',
    section: 'a-pass-fails',
  },
  {
    name: 'RepairerErrors',
    metric: from.errors('repairer', 'Sum'),
    threshold: 1,
    means: 'A repair that somebody asked for failed or ran out of time.',
    section: 'a-pass-fails',
  },
];

const losses = (from: CloudMetrics): readonly AlarmRow[] => [
  {
    name: 'IndexShrank',
    metric: from.own('IndexShrank', 'Sum', DAY),
    threshold: 1,
    means: 'An index lacks versions that nobody deleted: the table lost items.',
    section: 'an-index-shrank',
  },
  {
    name: 'PointerLost',
    metric: from.own('PointerLost', 'Sum', DAY),
    threshold: 1,
    means: 'The item that says which index is current was gone: the table lost items.',
    section: 'a-pointer-was-lost',
  },
  {
    name: 'DamageFound',
    metric: from.own('DamageFound', 'Sum', DAY),
    threshold: 1,
    means: 'The daily pass found damage that it does not mend by itself.',
    section: 'damage-was-found',
  },
];

const growth = (from: CloudMetrics): readonly AlarmRow[] => {
  // Where nothing is measured at all, as by a pass that fails, all is as large as it was.
  const whenMissing = TreatMissingData.IGNORE;
  // The daily pass measures every index; from one to the next it may be an hour more than a day, and small indexes that
  // change are heard of in between: of two days, one has the largest for sure.
  const within = 2;
  const indexSize = (megaBytes: number, means: string): AlarmRow => ({
    name: `IndexSize${megaBytes}MB`,
    metric: from.own('IndexSize', 'Maximum', DAY),
    threshold: megabytes(megaBytes),
    within,
    whenMissing,
    means,
    section: 'an-index-is-large',
  });
  return [
    // 6,000 versions with entries of 700 bytes; Lambda answers up to 6 MB.
    indexSize(
      5,
      'An index is above 5 MB: every client reads it at each update, and lists of charts become redirects.',
    ),
    indexSize(
      20,
      'An index is above 20 MB: Helm and Argo CD are slow, and a refresh moves more than it changes.',
    ),
    // Four fifths of Flux's 50 MiB.
    indexSize(40, 'An index is above 40 MB: Flux refuses one of 50 MiB.'),
    {
      name: 'CollectionSize',
      metric: from.own('CollectionSize', 'Maximum', DAY),
      // DynamoDB ends at 10; what is left is time to delete old versions. It tells this with a write alone: of one that
      // nobody publishes to, nothing is heard, and nothing grows.
      threshold: 8,
      within,
      whenMissing,
      means:
        'The items of a repository take 8 GB of the 10 GB that DynamoDB lets them: then nothing is published.',
      section: 'a-repository-nears-10-gb',
    },
  ];
};

const requests = (from: CloudMetrics): readonly AlarmRow[] => [
  {
    name: 'ServerErrors',
    metric: from.api('5xx', 'Sum'),
    // Clients try again after one, and so do we; a handful in five minutes is what people notice.
    threshold: 5,
    means: 'Requests were answered 5xx.',
    section: 'requests-are-answered-5xx',
  },
  {
    name: 'FunctionsThrottled',
    // Of the account: the functions share one pool with all others there, and who fills it is not the one that is refused.
    metric: from.allFunctions('Throttles', 'Sum'),
    threshold: 1,
    means: 'Lambda refused to run a function of this account: as many ran as the account may run at once.',
    section: 'functions-are-throttled',
  },
  // A few are nothing that anybody notices: the SDK tries again. Two alarms, since one over a sum costs as much.
  {
    name: 'ReadsThrottled',
    metric: from.table('ReadThrottleEvents', 'Sum'),
    threshold: 10,
    means: 'DynamoDB refused reads of the table: more than a partition, or the table of a minute ago, gives.',
    section: 'the-table-is-throttled',
  },
  {
    name: 'WritesThrottled',
    metric: from.table('WriteThrottleEvents', 'Sum'),
    threshold: 10,
    means:
      'DynamoDB refused writes to the table: more than a partition, or the table of a minute ago, takes.',
    section: 'the-table-is-throttled',
  },
  {
    name: 'BadCredentials',
    metric: from.own('BadCredentials', 'Sum'),
    // An account is refused from an address after 20 in five minutes, which is not counted: the end of one such while and
    // the beginning of the next are 40. Nobody is refused for wrong tokens.
    threshold: 50,
    means:
      'Many wrong passwords or secrets, for several accounts or from several addresses, or many wrong tokens.',
    section: 'many-wrong-passwords',
  },
];

function canary(from: CloudMetrics, { canaryMinutes = 0 }: Watched): readonly AlarmRow[] {
  if (canaryMinutes === 0) return [];
  return [
    {
      name: 'CanaryFailed',
      // Two turns of its clock hold at least one whole run, however the two clocks stand to each other.
      metric: from.own('CanarySucceeded', 'Maximum', Duration.minutes(2 * canaryMinutes)),
      threshold: 1,
      comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
      whenMissing: TreatMissingData.BREACHING,
      means: 'The canary could not publish and pull its chart, or did not run.',
      section: 'the-canary-failed',
    },
  ];
}
