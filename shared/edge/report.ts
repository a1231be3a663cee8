import { type Finding, isDamage } from '../findings.ts';
import type { Metric } from '../metrics.ts';
import type { Notice } from '../refresh.ts';
import { logError } from './log.ts';
import { record } from './record.ts';

const messages: Record<Notice['kind'], string> = {
  index_shrank: 'an index lists fewer versions than the one before, and nobody deleted them',
  pointer_lost: 'the pointer to an index was lost; the index was built anew',
  rebuild_put_off:
    'an index was not rebuilt: others were faster, or are at it; the next run or the daily pass looks again',
  clean_up_failed: 'something stays that is done with; whoever comes next takes it',
};

/** Logs a notice and counts it in a metric of its name, on which an alarm can rest. */
export function reportNotice({ kind, ...fields }: Notice): void {
  const { error, ...rest } = { error: undefined, ...fields };
  logError(messages[kind], error ?? new Error(kind), { kind, ...rest });
  record(metricOf[kind], 1);
}

/** Logs what reconciliation found. What is cleaned up as a matter of course is not worth a metric. */
export function reportFinding(finding: Finding, mended: boolean): void {
  console.log(
    JSON.stringify({ level: isDamage(finding) ? 'error' : 'info', message: 'found', mended, ...finding }),
  );
  if (isDamage(finding)) record(mended ? 'DamageMended' : 'DamageFound', 1);
}

const metricOf: Record<Notice['kind'], Metric> = {
  index_shrank: 'IndexShrank',
  pointer_lost: 'PointerLost',
  rebuild_put_off: 'RebuildPutOff',
  clean_up_failed: 'CleanUpFailed',
};
