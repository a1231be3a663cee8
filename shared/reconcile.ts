import { inParallel } from './async-iteration.ts';
import { prefixes } from './contract.ts';
import { currentIndex } from './current-index.ts';
import { endOfRepository, readRepositoryFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { Finding } from './findings.ts';
import { type From, inspectRepository } from './inspect-repository.ts';
import { mend, type Thoroughness } from './mend.ts';
import { type IndexDependencies, refreshIndex } from './refresh.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Progress, RepositoryStore } from './store/repository-store.ts';
import type { VersionStore } from './store/version-store.ts';

export type ReconcileDependencies = IndexDependencies & {
  readonly versions: VersionStore;
  readonly objects: ObjectStore;
  readonly repositories: RepositoryStore;
  /** Hears of everything that is not as it should be, and whether it was put right. */
  readonly found: (finding: Finding, mended: boolean) => void;
};

/** How many lost versions are dealt with together. */
const TOGETHER = 100;

/** How often a rebuild begins again when a refresh overtakes it. */
const REBUILDS = 5;

/** A pass over all repositories begins this long after the one before, in milliseconds. */
const EVERY_MS = 24 * 60 * 60 * 1000;

/** How long a crash may throw a pass back, in milliseconds. */
const SAVE_EVERY_MS = 10_000;

const everyVersion = { rebuildAtMost: Number.POSITIVE_INFINITY };

/** Time for one chart and one index to be finished, and then no new one is begun. */
export type Patience = {
  /** In milliseconds since 1970. */
  readonly until: number;
};

/**
 * Compares all that is kept of one repository and puts right what it may. It may run at any time, twice and
 * beside everything else.
 *
 * @returns where to go on, if its time was over before it was done
 */
export async function reconcileRepository(
  dependencies: ReconcileDependencies,
  repository: Repository,
  thoroughness: Thoroughness,
  { until, from }: Patience & { readonly from?: From | undefined } = { until: Number.POSITIVE_INFINITY },
): Promise<From | undefined> {
  const { clock, repositories, found } = dependencies;
  let rebuild = false;
  const deal = async (finding: Finding) => {
    const mended = await mend(dependencies, finding, thoroughness);
    rebuild ||= mended === 'later';
    found(finding, mended !== 'no');
  };
  const lost: Finding[] = [];
  for await (const observation of inspectRepository(dependencies, repository, from)) {
    const finding = observation.kind === 'finding' ? observation.finding : undefined;
    // Whole tables may have to be brought back: many versions at a time, and all of them before what follows.
    if (finding?.kind === 'version_lost') lost.push(finding);
    if (finding?.kind !== 'version_lost' || lost.length >= TOGETHER) await inParallel(lost.splice(0), deal);
    if (finding !== undefined && finding.kind !== 'version_lost') await deal(finding);
    if (thoroughness === 'nothing') continue;
    if (observation.kind === 'checkpoint' && clock.now() >= until) {
      await renew(dependencies, repository, thoroughness, rebuild);
      return observation;
    }
    if (observation.kind === 'done') await repositories.setCounts(repository, observation.counts);
  }
  if (thoroughness !== 'nothing') await renew(dependencies, repository, thoroughness, rebuild);
  return undefined;
}

/** Brings the index up to date, from all versions if something was wrong with it. */
async function renew(
  dependencies: ReconcileDependencies,
  repository: Repository,
  thoroughness: Thoroughness,
  rebuild: boolean,
): Promise<void> {
  if (!rebuild) {
    await currentIndex(dependencies, repository, everyVersion);
    return;
  }
  const forgetShrinkings = thoroughness === 'everything';
  for (let attempt = 0; attempt < REBUILDS; attempt += 1) {
    const { kind } = await refreshIndex(dependencies, repository, {
      ...everyVersion,
      rebuild: true,
      forgetShrinkings,
    });
    if (kind !== 'overtaken') return;
  }
  throw new Error(`the index of "${repository}" was overtaken ${REBUILDS} times while it was rebuilt`);
}

/**
 * Reconciles all repositories, in as many calls as that takes: what one does not get done before its time is
 * over, the next goes on with. A pass begins a day after the one before.
 *
 * @param now begin a pass though the last one is younger
 * @returns whether the pass is done
 */
export async function reconcile(
  dependencies: ReconcileDependencies,
  { until, now = false }: Patience & { readonly now?: boolean },
): Promise<boolean> {
  const { clock, repositories } = dependencies;
  const last = await repositories.progress();
  const isDue = last === undefined || now || clock.now() - last.began >= EVERY_MS;
  if (last?.phase === 'done' && !isDue) return true;
  let progress: Progress =
    last === undefined || last.phase === 'done' ? { began: clock.now(), phase: 'table' } : last;
  let saved = clock.now();
  const save = async (next: Progress) => {
    progress = next;
    saved = clock.now();
    await repositories.setProgress(progress);
  };

  for await (const { repository, phase } of remaining(dependencies, progress)) {
    const from = progress.current?.repository === repository ? progress.current : undefined;
    const left = await reconcileRepository(dependencies, repository, 'safe', { until, from });
    if (left !== undefined) {
      await save({ ...progress, current: { repository, after: left.after, counts: left.counts } });
      return false;
    }
    const isOver = clock.now() >= until;
    progress = { began: progress.began, phase, ...(phase === 'table' && { after: repository }) };
    if (isOver || clock.now() - saved > SAVE_EVERY_MS) await save(progress);
    if (isOver) return false;
  }
  await save({ began: progress.began, phase: 'done' });
  return true;
}

/** Every repository, those that only the bucket knows last. */
export async function* remaining(
  { repositories, objects }: Pick<ReconcileDependencies, 'repositories' | 'objects'>,
  { phase, after, current }: Omit<Progress, 'began'> = { phase: 'table' },
): AsyncGenerator<{ readonly repository: Repository; readonly phase: Progress['phase'] }> {
  if (phase === 'table') {
    if (current !== undefined) yield { repository: current.repository, phase };
    const rest = repositories.all(current?.repository ?? after);
    for await (const repository of rest) yield { repository, phase };
  }
  const known = new Set<Repository>();
  for (const prefix of [prefixes.charts, prefixes.files, prefixes.index]) {
    for await (const folder of objects.folders(prefix.slice(0, -1), endOfRepository)) {
      const repository = readRepositoryFolder(folder);
      if (repository === undefined || known.has(repository)) continue;
      known.add(repository);
      if (!(await repositories.has(repository))) yield { repository, phase: 'bucket' };
    }
  }
}
