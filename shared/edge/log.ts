import { Logger } from '@aws-lambda-powertools/logger';
import type { LogAttributes } from '@aws-lambda-powertools/logger/types';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { type Metric, metricNamespace, metrics } from '../metrics.ts';
import { type Fields, notedFields, type Values } from './run.ts';

const logger = new Logger({
  // Metrics ride on lines of this level: without it there would be none.
  logLevel: 'INFO',
  // What else hangs on an error of a client of AWS may hold items, headers or signed URLs.
  jsonReplacerFn: (_key, value) => (value instanceof Error ? told(value) : value),
});

function told({ name, message, stack, cause }: Error): object {
  return { name, message, stack, ...(cause instanceof Error && { cause: told(cause) }) };
}

/**
 * Logs what somebody must look at: one line of JSON that reads alone. Fields never hold headers, bodies or
 * signed URLs.
 *
 * @param error undefined where the message says it all
 * @param values of metrics, which CloudWatch takes out of the line
 */
export function logError(message: string, error: unknown, fields: Fields = {}, values: Values = {}): void {
  const thrown = error === undefined || error instanceof Error ? error : new Error(String(error));
  logger.error(message, { ...lineOf(fields, values), error: thrown });
}

/** Logs what went as it may, for whoever follows it or counts it. */
export function logInfo(message: string, fields: Fields = {}, values: Values = {}): void {
  logger.info(message, lineOf(fields, values));
}

function lineOf(fields: Fields, values: Values): LogAttributes {
  const line = { ...notedFields(), ...fields };
  // The logger leaves out what is empty, and the root repository's path is.
  const { repository } = line;
  return { ...line, ...(repository === '' && { repository: '(root)' }), ...embedded(values) };
}

/**
 * CloudWatch's embedded metric format, as a part of a line. The dimension is `service`, which the logger writes too:
 * `POWERTOOLS_SERVICE_NAME`, the stack's name.
 */
function embedded(values: Values): object {
  const given = (Object.keys(values) as Metric[]).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [{ name, value }];
  });
  if (given.length === 0) return {};
  const collected = new Metrics({ namespace: metricNamespace });
  for (const { name, value } of given) collected.addMetric(name, metrics[name], value);
  const { service: _, ...format } = collected.serializeMetrics();
  return format;
}
