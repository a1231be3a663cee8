import { askForRebuild } from './current-index.ts';
import type { Repository } from './domain/repository.ts';
import type { AllRepositorySettings } from './domain/settings.ts';
import type { SettingsReader } from './repository-settings.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Pointer, PointerStore } from './store/pointer-store.ts';

/** Whether an index lists as many versions of each chart as the settings of its repository say at this moment. */
export async function listsAsManyAsSet(
  { settingsOf }: { readonly settingsOf: SettingsReader },
  repository: Repository,
  { perChart = 0 }: Pick<Pointer, 'perChart'>,
): Promise<boolean> {
  return perChart === (await settingsOf(repository)).indexVersionsPerChart;
}

/**
 * Asks for an index that lists as many versions of each chart as the settings say now. Until it is there the one before
 * is read; where the question is lost, the indexer's next run or the daily pass finds the difference.
 *
 * @param before what the settings said, since another change of them may be on its way into an index
 */
export async function askForAsManyAsSet(
  dependencies: {
    readonly settingsOf: SettingsReader;
    readonly pointers: Pick<PointerStore, 'get'>;
    readonly objects: Pick<ObjectStore, 'put'>;
  },
  repository: Repository,
  before: Pick<AllRepositorySettings, 'indexVersionsPerChart'>,
): Promise<void> {
  const asBefore = await listsAsManyAsSet(dependencies, repository, {
    perChart: before.indexVersionsPerChart,
  });
  const pointer = await dependencies.pointers.get(repository);
  const isAsSet = pointer === undefined || (await listsAsManyAsSet(dependencies, repository, pointer));
  if (!asBefore || !isAsSet) await askForRebuild(dependencies, repository);
}
