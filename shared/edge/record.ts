import { Metrics } from '@aws-lambda-powertools/metrics';
import { type Metric, metricNamespace, metrics } from '../metrics.ts';

/**
 * Writes one value of a metric into the log, from where CloudWatch takes it. A log line of its own, so that nothing has to
 * be flushed when a function ends. Its dimension is `POWERTOOLS_SERVICE_NAME`, which the stack sets to its own name.
 */
export function record(metric: Metric, value: number): void {
  new Metrics({ namespace: metricNamespace }).singleMetric().addMetric(metric, metrics[metric], value);
}
