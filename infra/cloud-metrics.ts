import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Metric as CloudMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type Metric, metricNamespace } from '../shared/metrics.ts';
import type { Indexer } from './indexer.ts';
import type { Reconciler, Repairer } from './upkeep.ts';

/** What is watched of a deployment. */
export type Watched = {
  /** By which its metrics are told from those of others: the dimension `service`. */
  readonly stackName: string;
  readonly api: HttpApi;
  readonly table: Table;
  readonly indexing: Pick<Indexer, 'function' | 'queue' | 'deadLetters'>;
  readonly reconciling: Pick<Reconciler, 'function'>;
  readonly repair: Pick<Repairer, 'function'>;
  /** How often the canary runs. @default there is none */
  readonly canaryMinutes?: number;
};

type Statistic = 'Sum' | 'Minimum' | 'Maximum' | 'p50' | 'p99';

/** How values become one point of a curve, or what a threshold is held against. @default five minutes */
export type Reading = readonly [statistic: Statistic, period?: Duration];

export type CloudMetrics = ReturnType<typeof cloudMetrics>;

/** The metrics of a deployment by where they come from: its functions, or the services that it is made of. */
export function cloudMetrics({ stackName, api, table, indexing, reconciling, repair }: Watched) {
  const { queue, deadLetters } = indexing;
  const queues = { queue, deadLetters };
  const functions = { indexer: indexing, reconciler: reconciling, repairer: repair };
  const read = (metric: CloudMetric, [statistic, period = Duration.minutes(5)]: Reading) =>
    metric.with({ statistic, period });
  return {
    own: (metricName: Metric, ...reading: Reading) => {
      const dimensionsMap = { service: stackName };
      return read(new CloudMetric({ namespace: metricNamespace, metricName, dimensionsMap }), reading);
    },
    api: (metricName: 'Count' | '4xx' | '5xx' | 'Latency', ...reading: Reading) =>
      read(api.metric(metricName), reading),
    queue: (
      which: keyof typeof queues,
      metricName: 'ApproximateNumberOfMessagesVisible' | 'ApproximateAgeOfOldestMessage',
      ...reading: Reading
    ) => read(queues[which].metric(metricName), reading),
    errors: (which: keyof typeof functions, ...reading: Reading) =>
      read(functions[which].function.metricErrors(), reading),
    // Without a dimension: of the whole account.
    allFunctions: (metricName: 'Throttles' | 'ConcurrentExecutions', ...reading: Reading) =>
      read(LambdaFunction.metricAll(metricName), reading),
    // Those of a local index are counted with its table's.
    table: (
      metricName:
        | 'ReadThrottleEvents'
        | 'WriteThrottleEvents'
        | 'ConsumedReadCapacityUnits'
        | 'ConsumedWriteCapacityUnits',
      ...reading: Reading
    ) => read(table.metric(metricName), reading),
  };
}
