import type { Metric } from '../metrics.ts';
import { logInfo } from './log.ts';
import type { Fields } from './run.ts';

/** Writes one value of a metric into the log, in a line of its own. */
export function record(metric: Metric, value: number, fields: Fields = {}): void {
  logInfo('measured', fields, { [metric]: value });
}
