import { collect, inParallel } from './async-iteration.ts';
import type { ChartName } from './domain/chart-name.ts';
import { readRanges } from './domain/range-blocks.ts';
import type { Repository } from './domain/repository.ts';
import { rangesFile } from './index-objects.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { PointerStore } from './store/pointer-store.ts';
import type { VersionItem, VersionStore } from './store/version-store.ts';

export type ChartDependencies = {
  readonly versions: Pick<VersionStore, 'marks' | 'ofRepository'>;
  readonly pointers: Pick<PointerStore, 'get'>;
};

export type CountDependencies = ChartDependencies & {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly objects: Pick<ObjectStore, 'get'>;
};

/**
 * Whether a repository has a chart at this moment: two strong reads tell, marks first, as for a reader of the index.
 * Where something is marked, it may be what was deleted: then the versions are read up to the first that is there.
 */
export async function hasCharts(
  { versions, pointers }: ChartDependencies,
  repository: Repository,
): Promise<boolean> {
  const isSettled = await hasNone(versions.marks(repository));
  const pointer = await pointers.get(repository);
  if (isSettled && pointer !== undefined) return pointer.versions > 0;
  for await (const item of versions.ofRepository(repository)) if (isLive(item)) return true;
  return false;
}

/**
 * How many charts a repository has at this moment: those that the index lists, by the ranges beside it, and those
 * that are marked as they are now.
 */
export async function countCharts(
  { versions, pointers, objects }: CountDependencies,
  repository: Repository,
): Promise<number> {
  const marked = new Set((await collect(versions.marks(repository))).map(({ name }) => name));
  const pointer = await pointers.get(repository);
  if (marked.size === 0 && pointer?.versions === 0) return 0;
  const ranges =
    pointer && readRanges((await objects.get(`${pointer.folder}${rangesFile}`)) ?? new Uint8Array());
  const names = new Set<ChartName>();
  if (ranges === undefined) {
    for await (const item of versions.ofRepository(repository)) if (isLive(item)) names.add(item.name);
    return names.size;
  }
  for (const { name } of ranges) names.add(name);
  await inParallel([...marked], async (name) => {
    names.delete(name);
    for await (const item of versions.ofChart(repository, name)) if (isLive(item)) names.add(name);
  });
  return names.size;
}

const isLive = ({ live }: VersionItem) => live !== undefined;

async function hasNone(items: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of items) return false;
  return true;
}
