import { isSendable } from './answer-limit.ts';
import type { Clock } from './clock.ts';
import { renderChartIndex } from './domain/chart-index.ts';
import type { ChartName } from './domain/chart-name.ts';
import { digestOf } from './domain/digest.ts';
import type { IndexSettings } from './domain/entry.ts';
import { Fault } from './domain/fault.ts';
import { chartIndexKey } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { ListAnswer } from './list-charts.ts';
import { readChart } from './read-charts.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { VersionStore } from './store/version-store.ts';
import { findForADay, putForADay } from './stored-for-a-day.ts';

export type ChartIndexDependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly objects: Pick<ObjectStore, 'list' | 'put' | 'signedUrl'>;
  readonly settings: IndexSettings;
  readonly clock: Clock;
};

/**
 * The index of one chart, from the table: by one strong query what was answered 201 is in it, and no index need be
 * refreshed for it.
 *
 * @param isKnown whether who asks has the index of this tag already
 * @throws Fault `chart_not_found` if no version is live
 */
export async function readChartIndex(
  dependencies: ChartIndexDependencies,
  repository: Repository,
  name: ChartName,
  isKnown: (etag: string) => boolean,
): Promise<ListAnswer> {
  const { versions, settings } = dependencies;
  const index = renderChartIndex(name, await readChart(versions, repository, name), settings, repository);
  if (index === undefined) throw notThere(repository, name);
  const etag = digestOf(index);
  if (isKnown(etag)) return { kind: 'known', etag };
  const text = Buffer.from(index).toString();
  if (isSendable(text)) return { kind: 'inline', etag, text };
  const key = chartIndexKey(etag);
  const stored = (await findForADay(dependencies, key)) ?? (await putForADay(dependencies, key, index));
  return { etag, ...stored };
}

function notThere(repository: Repository, name: ChartName): Fault {
  const where = repository === '' ? 'the root repository' : repository;
  return new Fault(
    'chart_not_found',
    `there is no version of ${name} in ${where}: publish one, or add the repository itself`,
  );
}
