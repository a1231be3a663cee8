import { canaryName } from '../contract.ts';
import { type Finding, isDamage } from '../findings.ts';
import type { Happening } from '../happening.ts';
import type { Metric } from '../metrics.ts';
import type { Notice } from '../refresh.ts';
import { logError, logInfo } from './log.ts';
import type { Fields, Values } from './run.ts';

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
  logError(messages[kind], error, { kind, ...rest }, { [metricOf[kind]]: 1 });
}

/** Logs what reconciliation found. What is cleaned up as a matter of course is not worth a metric. */
export function reportFinding(finding: Finding, mended: boolean): void {
  const metric = mended ? 'DamageMended' : 'DamageFound';
  if (isDamage(finding)) logError('found', undefined, { mended, ...finding }, { [metric]: 1 });
  else logInfo('found', { mended, ...finding });
}

// As many as a line is looked at for; the audit has them all.
const MOST_REQUESTS = 50;

/** Logs what happened, with the metrics that count it. */
export function reportHappening(happening: Happening): void {
  const { message, fields, values } = lineOf(happening);
  logInfo(message, fields, values);
}

type Line = { readonly message: string; readonly fields: Fields; readonly values: Values };

function lineOf(happening: Happening): Line {
  switch (happening.kind) {
    case 'refreshed':
      return refreshLine(happening);
    case 'measured': {
      const { repository, sizeBytes, versions } = happening;
      const values = { IndexSize: sizeBytes, IndexVersions: versions };
      return { message: 'an index was measured', fields: { repository }, values };
    }
    case 'marks_waiting': {
      const { repository, oldestMarkMs } = happening;
      const message = 'a change waits for an index that shows it';
      return { message, fields: { repository }, values: { OldestMark: oldestMarkMs / 1000 } };
    }
    case 'upload_published': {
      const { kind: _, what, ...fields } = happening;
      const values = what === 'package' ? { Published: 1 } : {};
      return { message: `a ${what} of the inbox was published`, fields, values };
    }
    case 'upload_rejected': {
      const { kind: _, ...fields } = happening;
      return { message: 'an object of the inbox was rejected', fields, values: { Rejected: 1 } };
    }
  }
}

type Refresh = Extract<Happening, { readonly kind: 'refreshed' }>;

function refreshLine(refresh: Refresh): Line {
  const { kind: _, sizeBytes, versions, oldestMarkMs, collectionGigabytes, requestIds, ...rest } = refresh;
  const fields = { ...rest, requestIds: requestIds.slice(0, MOST_REQUESTS) };
  return { message: 'an index was made current', fields, values: refreshValues(refresh) };
}

// Far above what the bucket's events take, and far below what an alarm rests on.
const WAITED_MS = 60_000;

function refreshValues(refresh: Refresh): Values {
  const { repository, sizeBytes, versions, oldestMarkMs, collectionGigabytes } = refresh;
  const oldest = oldestMarkMs === undefined ? {} : { OldestMark: oldestMarkMs / 1000 };
  // A metric is paid for by the hours in which it has values, and the canary would give it one in every hour.
  // Where nobody else publishes, though, an indexer that stands still is seen by its marks alone.
  if (repository === canaryName) return (oldestMarkMs ?? 0) < WAITED_MS ? {} : oldest;
  return {
    Refreshed: 1,
    IndexSize: sizeBytes,
    IndexVersions: versions,
    ...oldest,
    ...(collectionGigabytes !== undefined && { CollectionSize: collectionGigabytes }),
  };
}

const metricOf: Record<Notice['kind'], Metric> = {
  index_shrank: 'IndexShrank',
  pointer_lost: 'PointerLost',
  rebuild_put_off: 'RebuildPutOff',
  clean_up_failed: 'CleanUpFailed',
};
