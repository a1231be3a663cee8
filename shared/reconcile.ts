import { collect, inParallel, throwAll } from './async-iteration.ts';
import { prefixes } from './contract.ts';
import { askForRebuild, currentIndex } from './current-index.ts';
import type { VersionChange } from './domain/audit.ts';
import { isGoing } from './domain/known-repository.ts';
import { GRACE_MS } from './domain/leftovers.ts';
import { endOfRepository, readRepositoryFolder } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { Finding } from './findings.ts';
import { waitingUploads } from './handle-object-events.ts';
import { type From, inspectRepository } from './inspect-repository.ts';
import { type Mended, mend, type Thoroughness } from './mend.ts';
import { removeIndex } from './published-index.ts';
import { isPutOff, putOff, rebuildIndex } from './rebuild-index.ts';
import { type IndexDependencies, type RefreshOptions, waitedFor } from './refresh.ts';
import { removeDeletedRepositories } from './remove-repositories.ts';
import type { KnownRepositoryStore } from './store/known-repository-store.ts';
import type { LabelStore } from './store/label-store.ts';
import type { ObjectStore } from './store/object-store.ts';
import type { Progress, RepositoryStore } from './store/repository-store.ts';
import type { VersionStore } from './store/version-store.ts';
import { listsAsManyAsSet } from './versions-in-index.ts';

export type ReconcileDependencies = IndexDependencies & {
  readonly versions: VersionStore;
  readonly objects: ObjectStore;
  readonly repositories: RepositoryStore;
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get' | 'all' | 'remove'>;
  readonly labels: Pick<LabelStore, 'in' | 'get' | 'remove'>;
  /** Hears of everything that is not as it should be, and whether it was put right. */
  readonly found: (finding: Finding, mended: boolean) => void;
};

/** How many lost versions are dealt with together. */
const TOGETHER = 100;

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

export type Part = Patience & {
  /** Where an earlier call left off. */
  readonly from?: From | undefined;
  /** Hears where this one leaves off, before the index is made: that may take longer than there is time. */
  readonly leave?: (at: From) => Promise<void>;
};

/**
 * Compares all that is kept of one repository and puts right what it may. It may run at any time, twice and
 * beside everything else. What fails does not keep the rest from being done. A repository that was deleted is
 * looked after until it cannot come back; what is left of it then is on its way out, and no damage.
 *
 * @returns where to go on, if its time was over before it was done
 * @throws what failed, once everything else is done
 */
export async function reconcileRepository(
  dependencies: ReconcileDependencies,
  repository: Repository,
  thoroughness: Thoroughness,
  { until, from, leave }: Part = { until: Number.POSITIVE_INFINITY },
): Promise<From | undefined> {
  const { clock, repositories, knownRepositories } = dependencies;
  if (isGoing(await knownRepositories.get(repository), clock.now())) return undefined;
  const mending = new Mending(dependencies, repository, thoroughness);
  let left: From | undefined;
  for await (const observation of inspectRepository(dependencies, repository, from)) {
    if (observation.kind === 'finding') await mending.deal(observation.finding);
    if (thoroughness === 'nothing') continue;
    if (observation.kind === 'done') await repositories.setCounts(repository, observation.counts);
    if (observation.kind === 'checkpoint' && clock.now() >= until) {
      left = { after: observation.after, counts: observation.counts };
      break;
    }
  }
  await mending.dealWithLost();
  if (thoroughness !== 'nothing' && left === undefined) await askToPublish(dependencies, repository);
  if (left !== undefined) await leave?.(left);
  if (thoroughness !== 'nothing') {
    // Before anything is done about it: an index that cannot be made is not heard of otherwise.
    await tellOfWaiting(dependencies, repository);
    if (left === undefined) await tellOfSize(dependencies, repository);
    await mending.renew();
  }
  throwAll(mending.errors);
  return left;
}

/** The events of what has been in the inbox for so long were lost: the indexer looks there when it is asked to rebuild. */
async function askToPublish(dependencies: ReconcileDependencies, repository: Repository): Promise<void> {
  const olderThan = dependencies.clock.now() - GRACE_MS;
  for await (const _ of waitingUploads(dependencies, repository, { olderThan })) {
    await askForRebuild(dependencies, repository);
    return;
  }
}

/** What is still marked when the pass comes is mostly of the last second, or else of an indexer that stands still. */
async function tellOfWaiting(dependencies: ReconcileDependencies, repository: Repository): Promise<void> {
  const { versions, clock, observe } = dependencies;
  const changes: VersionChange[] = [];
  await inParallel(await collect(versions.marks(repository)), async (mark) => {
    changes.push(...((await versions.get(mark))?.changes ?? []));
  });
  const oldestMarkMs = waitedFor(changes, clock.now());
  if (oldestMarkMs !== undefined) await observe?.({ kind: 'marks_waiting', repository, oldestMarkMs });
}

/** An index that nobody changes is heard of by this alone, and is to be among those of its day. */
async function tellOfSize(
  { pointers, observe }: ReconcileDependencies,
  repository: Repository,
): Promise<void> {
  const pointer = await pointers.get(repository);
  if (pointer === undefined) return;
  const { sizeBytes, versions } = pointer;
  await observe?.({ kind: 'measured', repository, sizeBytes, versions });
}

/** What is done about the findings in one repository. */
class Mending {
  readonly errors: unknown[] = [];
  readonly #dependencies: ReconcileDependencies;
  readonly #repository: Repository;
  readonly #thoroughness: Thoroughness;
  #lost: Finding[] = [];
  /** The versions that cannot come back, since their packages are gone. */
  readonly #gone = new Set<string>();
  /** Whether all others that were lost are back. */
  #isComplete = true;
  #rebuild = false;
  readonly #behind: string[] = [];

  constructor(dependencies: ReconcileDependencies, repository: Repository, thoroughness: Thoroughness) {
    this.#dependencies = dependencies;
    this.#repository = repository;
    this.#thoroughness = thoroughness;
  }

  async deal(finding: Finding): Promise<void> {
    // Whole tables may have to be brought back: many versions at a time.
    if (finding.kind === 'version_lost') this.#lost.push(finding);
    if (this.#lost.length >= TOGETHER || needed.has(finding.kind)) await this.dealWithLost();
    if (finding.kind !== 'version_lost') await this.#mend(finding);
  }

  async dealWithLost(): Promise<void> {
    await inParallel(this.#lost.splice(0), (finding) => this.#mend(finding));
  }

  async #mend(finding: Finding): Promise<void> {
    let mended: Mended = 'no';
    try {
      // What versions are brought back from is let go of once all of them are back.
      if (this.#isComplete || !needed.has(finding.kind)) {
        mended = await mend(this.#dependencies, finding, this.#thoroughness);
      }
    } catch (error) {
      this.errors.push(error);
    }
    if (finding.kind === 'version_lost' && mended === 'no') {
      if (finding.package === 'there') this.#isComplete = false;
      else this.#gone.add(`${finding.name} ${finding.version}`);
      this.#rebuild ||= this.#thoroughness === 'everything';
    }
    if (finding.kind === 'pointer_behind' && mended === 'later') this.#behind.push(finding.folder);
    this.#rebuild ||= mended === 'later';
    this.#dependencies.found(finding, mended !== 'no');
  }

  /** Brings the index up to date, from all versions if something was wrong with it. */
  async renew(): Promise<void> {
    if (!this.#rebuild) {
      const pointer = await currentIndex(this.#dependencies, this.#repository, everyVersion);
      if (pointer === undefined) return;
      if (await listsAsManyAsSet(this.#dependencies, this.#repository, pointer)) return;
    }
    const outcome = await rebuildIndex(this.#dependencies, this.#repository, this.#forget());
    if (isPutOff(outcome)) {
      // Who repairs by hand wants it now.
      if (this.#thoroughness === 'everything') this.errors.push(putOff(this.#repository));
      else await this.#dependencies.report({ kind: 'rebuild_put_off', repository: this.#repository });
      return;
    }
    const current = outcome.kind === 'refreshed' ? outcome.pointer : undefined;
    // What was set meanwhile the indexer may have left to this rebuild.
    if (current && !(await listsAsManyAsSet(this.#dependencies, this.#repository, current))) {
      await askForRebuild(this.#dependencies, this.#repository);
    }
    // Not before: one of them may be about to become current.
    for (const folder of this.#behind) {
      if (folder !== current?.folder) await removeIndex(this.#dependencies.objects, folder);
    }
  }

  #forget(): RefreshOptions['forget'] {
    if (this.#thoroughness !== 'everything') return undefined;
    return (name, version) => this.#gone.has(`${name} ${version}`);
  }
}

/** What lost versions are brought back from. */
const needed: ReadonlySet<Finding['kind']> = new Set(['index_shrank', 'pointer_behind']);

/**
 * Reconciles all repositories, in as many calls as that takes: what one does not get done before its time is
 * over, the next goes on with. A pass begins a day after the one before. What was deleted too long ago to come
 * back is removed first.
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

  const errors: unknown[] = [];
  try {
    if (!(await removeDeletedRepositories(dependencies, until))) {
      await save(progress);
      return false;
    }
  } catch (error) {
    errors.push(error);
  }
  for await (const { repository, phase } of remaining(dependencies, progress)) {
    const from = progress.current?.repository === repository ? progress.current : undefined;
    let isLeft = false;
    const leave = async ({ after, counts }: From) => {
      isLeft = true;
      await save({ ...progress, current: { repository, after, counts } });
    };
    try {
      await reconcileRepository(dependencies, repository, 'safe', { until, from, leave });
    } catch (error) {
      // The others are not to wait for this one, which may fail every time.
      errors.push(error);
    }
    const isOver = isLeft || clock.now() >= until;
    if (!isLeft) progress = { began: progress.began, phase, ...(phase === 'table' && { after: repository }) };
    if (!isLeft && (isOver || clock.now() - saved > SAVE_EVERY_MS)) await save(progress);
    if (!isOver) continue;
    throwAll(errors);
    return false;
  }
  await save({ began: progress.began, phase: 'done' });
  throwAll(errors);
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
  for (const prefix of [prefixes.charts, prefixes.files, prefixes.index, prefixes.inbox]) {
    for await (const folder of objects.folders(prefix.slice(0, -1), endOfRepository)) {
      const repository = readRepositoryFolder(folder);
      if (repository === undefined || known.has(repository)) continue;
      known.add(repository);
      if (!(await repositories.has(repository))) yield { repository, phase: 'bucket' };
    }
  }
}
