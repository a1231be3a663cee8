import { createHash } from 'node:crypto';
import { currentIndex } from '../../shared/current-index.ts';
import { deleteChart, deleteVersion } from '../../shared/delete.ts';
import type { AuditedChange, By } from '../../shared/domain/audit.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { namedKeys } from '../../shared/domain/leftovers.ts';
import { filesKey, type VersionId } from '../../shared/domain/object-keys.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import { compareVersions, parseChartVersion } from '../../shared/domain/version.ts';
import { type Finding, isDamage } from '../../shared/findings.ts';
import { byRepository, handleObjectEvents } from '../../shared/handle-object-events.ts';
import { INDEX_URL_SECONDS } from '../../shared/index-objects.ts';
import type { From } from '../../shared/inspect-repository.ts';
import { loadRefresh } from '../../shared/load-refresh.ts';
import type { Thoroughness } from '../../shared/mend.ts';
import { publishChecked } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import type { Pointer } from '../../shared/store/pointer-store.ts';
import { askForAsManyAsSet } from '../../shared/versions-in-index.ts';
import { type Random, randomFrom } from '../random.ts';
import type { MemoryObject } from '../store/memory-objects.ts';
import { type Asked, Ledger, nameOf, type Request } from './ledger.ts';
import { type Loss, Losses } from './losses.ts';
import type { Prepared } from './packages.ts';
import { hold, Violation } from './promises.ts';
import { impossible, type Operation } from './register.ts';
import { type Faults, type Figures, InjectedFault, Scheduler } from './scheduler.ts';
import { rebuiltIndex, simulatedWorld, textOf, type World } from './world.ts';

export type HistoryFigures = Figures & {
  operations: number;
  events: number;
  eventsDropped: number;
  losses: number;
};

/** How a history ended. A violation is a promise that was broken. */
export type Outcome = {
  readonly seed: number;
  readonly violation: string | undefined;
  readonly figures: HistoryFigures;
  /** What happened, one step a line. */
  readonly trace: readonly string[];
};

type Packages = ReadonlyMap<VersionId, readonly Prepared[]>;

// How long a function may take. Those of requests get more than they have, since clocks are not one clock.
const REQUEST_MS = 120_000;
const INDEXER_MS = 150_000;
const RECONCILE_MS = 900_000;

const MOST_STEPS = 20_000;

/** Runs one history to its end and holds it to the promises of docs/reliability.md. */
export async function runHistory(seed: number, packages: Packages): Promise<Outcome> {
  await loadRefresh();
  const history = new History(seed, packages);
  let violation: string | undefined;
  try {
    await history.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = error.message;
  }
  return { seed, violation, figures: history.figures, trace: history.trace };
}

const digests = new WeakMap<MemoryObject, string>();

function digestOf(object: MemoryObject): string {
  const known = digests.get(object);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(object.bytes).digest('hex');
  digests.set(object, digest);
  return digest;
}

class History {
  readonly figures: HistoryFigures;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #packages: Packages;
  readonly #ids: readonly VersionId[];
  readonly #ledger: Ledger;
  readonly #losses: Losses;
  /** Decides how many versions of each chart are listed, apart from all else. */
  readonly #listing: Random;
  /** The package of each version at the last look, and those that a delete took away. */
  readonly #served = new Map<string, MemoryObject>();
  readonly #deleted = new Set<MemoryObject>();
  #falseAlarm: string | undefined;
  #actors = 0;
  #requests = 0;

  constructor(seed: number, packages: Packages) {
    this.#random = randomFrom(seed);
    this.#packages = packages;
    this.#ids = chooseVersions(this.#random, [...packages.keys()]);
    this.#scheduler = new Scheduler(this.#random, chooseFaults(this.#random));
    this.#world = simulatedWorld(this.#scheduler);
    this.#ledger = new Ledger(() => this.#scheduler.step);
    this.#losses = new Losses(this.#world, chooseLoss(this.#random));
    this.#listing = randomFrom(~seed);
    this.#chooseListing();
    this.figures = Object.assign(this.#scheduler.figures, {
      operations: 0,
      events: 0,
      eventsDropped: 0,
      losses: 0,
    });
  }

  get trace(): readonly string[] {
    return this.#scheduler.trace;
  }

  get #repositories(): readonly Repository[] {
    return [...new Set(this.#ids.map(({ repository }) => repository))];
  }

  async run(): Promise<void> {
    const random = this.#random;
    const rounds = 1 + random.below(3);
    for (let round = 0; round < rounds; round += 1) {
      const clients = 2 + random.below(5);
      for (let client = 0; client < clients; client += 1) this.#startClient();
      if (random.chance(0.5)) this.#startUpkeep();
      if (this.#listing.chance(0.3)) this.#startSetting();
      // The next round begins when all have ended, or among those who have not.
      await this.#play(random.chance(0.5) ? MOST_STEPS : random.below(60));
      if (random.chance(0.3))
        this.#scheduler.advance(random.pick([2_100, 61_000, 160_000, 2 * 60 * 60 * 1000]));
    }
    await this.#play(MOST_STEPS);
    await this.#settle();
    await this.#checkEnd();
  }

  /** Lets actors go on until all have ended, or for so many steps. */
  async #play(steps: number): Promise<void> {
    const random = this.#random;
    for (let step = 0; step < steps; step += 1) {
      hold('every actor ends', this.#scheduler.step < MOST_STEPS);
      if (random.chance(0.01)) this.#strike();
      const { events } = this.#world;
      if (events.length > 0 && random.chance(0.08)) this.#deliver();
      const goesOn = await this.#scheduler.next();
      this.#checkAlways();
      const [failure] = this.#scheduler.failures;
      if (failure !== undefined) throw failure;
      if (!goesOn && events.length > 0) this.#deliver();
      else if (!goesOn) return;
    }
  }

  #strike(): void {
    const lost = this.#losses.strike(this.#random, this.#ids);
    if (lost === undefined) return;
    this.#scheduler.note(`lost: ${lost}`);
    this.figures.losses += 1;
    for (const id of this.#ids) if (this.#losses.isLost(id)) this.#served.delete(nameOf(id));
  }

  // ---- actors ----

  #startClient(): void {
    const random = this.#random;
    this.#actors += 1;
    const operations = 1 + random.below(3);
    const killed: (() => void)[] = [];
    this.#scheduler.start(
      `client${this.#actors}`,
      REQUEST_MS,
      async () => {
        for (let each = 0; each < operations; each += 1) await this.#operate(killed);
      },
      () => {
        for (const each of killed) each();
      },
    );
  }

  /** One request. What it throws is its answer. */
  async #operate(killed: (() => void)[]): Promise<void> {
    const random = this.#random;
    const id = random.pick(this.#ids);
    this.figures.operations += 1;
    const choice = random.below(20);
    if (choice < 8) return await this.#publish(id, random.chance(0.35), random.chance(0.3));
    if (choice < 10) return await this.#sign(id, random.chance(0.3));
    if (choice < 13) return await this.#delete(id, killed);
    if (choice < 14) return await this.#deleteChart(id, killed);
    return await this.#read(id.repository);
  }

  async #publish(id: VersionId, overwrite: boolean, withProvenance: boolean): Promise<void> {
    const prepared = this.#random.pick(this.#packages.get(id) ?? []);
    const upload = withProvenance ? prepared.signed : prepared.checked;
    const { digest } = upload.chart;
    const label = `publish ${nameOf(id)} ${digest.slice(0, 4)}${overwrite ? ' overwriting' : ''}`;
    const request = this.#request({ digest, isShared: overwrite });
    const effect: Operation['effect'] = (state) => (state !== undefined && !overwrite ? impossible : digest);
    const asked = this.#ledger.ask(id, label, effect, { change: request });
    const signing = withProvenance ? this.#ledger.beginSigning(id, digest, { by: asked }) : undefined;
    this.#ledger.changesOf(id).add(asked);
    const rules = { overwrite, by: senderOf(request) };
    const answer = await this.#answerOf(label, publishChecked(this.#world, upload, rules), request);
    const { step } = this.#scheduler;
    if (answer === 'done') {
      asked.certain = true;
      asked.end = step;
      if (signing !== undefined) signing.acknowledged = true;
    }
    if (answer === 'version_exists') {
      // It may have helped another's reservation to its end, which is the other's change.
      this.#ledger.changesOf(id).delete(asked);
      asked.effect = (state) => (state === undefined ? impossible : state);
      asked.certain = true;
      asked.end = step;
    }
    if (signing !== undefined && answer !== 'unknown') signing.end = step;
  }

  async #sign(id: VersionId, overwrite: boolean): Promise<void> {
    const { signed } = this.#random.pick(this.#packages.get(id) ?? []);
    const provenance = signed.provenance?.bytes ?? new Uint8Array();
    const label = `sign ${nameOf(id)} ${signed.chart.digest.slice(0, 4)}`;
    const { digest } = signed.chart;
    const request = this.#request({ digest: signed.provenance?.file.digest ?? '', isShared: false });
    const signing = this.#ledger.beginSigning(id, digest, { request });
    const { step } = this.#scheduler;
    const upload = { repository: id.repository, provenance, overwrite, by: senderOf(request) };
    const answer = await this.#answerOf(label, publishProvenance(this.#world, upload), request);
    signing.end = this.#scheduler.step;
    if (answer !== 'done') return;
    signing.acknowledged = true;
    const fits: Operation['effect'] = (state) =>
      state === undefined || state === digest ? state : impossible;
    const asked = this.#ledger.ask(id, label, fits, { start: step });
    asked.certain = true;
    asked.end = this.#scheduler.step;
  }

  async #delete(id: VersionId, killed: (() => void)[]): Promise<void> {
    const label = `delete ${nameOf(id)}`;
    const request = this.#request({ isShared: true });
    const asked = this.#askDeletion(id, label, request, killed);
    const work = deleteVersion(this.#world, id, senderOf(request));
    this.#endDeletion(asked, await this.#answerOf(label, work, request));
  }

  async #deleteChart(id: VersionId, killed: (() => void)[]): Promise<void> {
    const label = `delete all ${id.repository}/${id.name}`;
    const versions = this.#ids.filter(
      ({ repository, name }) => repository === id.repository && name === id.name,
    );
    const request = this.#request({ isShared: true });
    const asked = versions.map((each) => this.#askDeletion(each, label, request, killed));
    const work = deleteChart(this.#world, id.repository, id.name, senderOf(request));
    const answer = await this.#answerOf(label, work, request);
    for (const each of asked) this.#endDeletion(each, answer);
  }

  #askDeletion(id: VersionId, label: string, change: Request, killed: (() => void)[]): Asked {
    const asked = this.#ledger.ask(id, label, () => undefined, { change });
    this.#ledger.changesOf(id).add(asked);
    killed.push(() => {
      asked.end = Math.min(asked.end, this.#scheduler.step);
    });
    return asked;
  }

  #endDeletion(asked: Asked, answer: string | undefined): void {
    asked.end = this.#scheduler.step;
    asked.certain = answer !== 'unknown';
    if (answer === 'version_not_found' || answer === 'chart_not_found') {
      asked.effect = (state) => (state === undefined ? undefined : impossible);
    }
  }

  async #read(repository: Repository): Promise<void> {
    const start = this.#scheduler.step;
    let pointer: Pointer | undefined;
    const reading = async () => {
      pointer = await currentIndex(this.#world, repository);
    };
    const answer = await this.#answerOf(`read ${repository}/`, reading());
    if (answer !== 'done') return;
    this.#observe(repository, start, pointer);
    if (this.#random.chance(0.7)) return;
    // As the client of a URL may begin to read by it.
    await this.#world.clock.sleep(INDEX_URL_SECONDS * 1000);
    this.#listed(pointer);
  }

  /** What a reader saw counts as asked, for every version: each was so at some instant of the read. */
  #observe(repository: Repository, start: number, pointer: Pointer | undefined): void {
    // The reader of such an index asks for another.
    if (this.#losses.isIndexLost(pointer?.folder)) return;
    const listed = this.#listed(pointer);
    for (const id of this.#ids.filter((each) => each.repository === repository)) {
      const seen = listed.get(`${id.name} ${id.version}`);
      if (seen === undefined && leavesOut(pointer, listed, id)) continue;
      const what = `read ${nameOf(id)} ${seen?.slice(0, 4) ?? 'none'}`;
      const effect: Operation['effect'] = (state) => (state === seen ? state : impossible);
      const asked = this.#ledger.ask(id, what, effect, { start });
      asked.certain = true;
      asked.end = this.#scheduler.step;
    }
  }

  #listed(pointer: Pointer | undefined): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    if (pointer === undefined || this.#losses.isIndexLost(pointer.folder)) return found;
    const index = this.#world.objects.objects.get(`${pointer.folder}index.yaml`);
    hold('the index that a reader is sent to is there', index !== undefined, pointer.folder);
    const { entries } = JSON.parse(Buffer.from(index?.bytes ?? '').toString()) as {
      entries: Record<string, { name: string; version: string; digest: string }[]>;
    };
    for (const { name, version, digest } of Object.values(entries).flat()) {
      hold('a version is listed once', !found.has(`${name} ${version}`), `${name} ${version}`);
      found.set(`${name} ${version}`, digest);
    }
    return found;
  }

  /** Of an item that is lost and was not listed no finding can tell the name. */
  #chooseListing(): void {
    if (this.#losses.kind.startsWith('items')) return;
    this.#world.deployment.indexVersionsPerChart = this.#listing.below(2);
  }

  /** Somebody wants more or fewer versions of each chart in the index, and says so of one repository. */
  #startSetting(): void {
    this.#actors += 1;
    const repository = this.#listing.pick(this.#repositories);
    this.#scheduler.start(`setting${this.#actors}`, REQUEST_MS, async () => {
      const before = { ...this.#world.deployment };
      this.#chooseListing();
      await this.#answerOf('set', askForAsManyAsSet(this.#world, repository, before));
    });
  }

  /** Somebody looks after a repository: by the clock, in as many parts as it takes, or by hand. */
  #startUpkeep(): void {
    const random = this.#random;
    this.#actors += 1;
    const repository = random.pick(this.#repositories);
    const thoroughness = this.#chooseThoroughness();
    const found = (finding: Finding) => {
      if (isDamage(finding) && !this.#losses.explains(finding)) this.#falseAlarm ??= JSON.stringify(finding);
    };
    const patience = random.chance(0.5) ? Number.POSITIVE_INFINITY : random.below(100);
    this.#scheduler.start(`${thoroughness}${this.#actors}`, RECONCILE_MS, async () => {
      await this.#answerOf('upkeep', this.#reconcile(repository, found, thoroughness, patience));
    });
  }

  #chooseThoroughness(): Thoroughness {
    // A version that is published again and deleted while a repair is at it may come back.
    if (this.#losses.kind.startsWith('items')) return this.#random.pick(['safe', 'nothing']);
    return this.#random.pick(['safe', 'safe', 'everything', 'nothing']);
  }

  /** @param patience after how many milliseconds each part is over */
  async #reconcile(
    repository: Repository,
    found: (finding: Finding) => void,
    thoroughness: Thoroughness = 'safe',
    patience = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { clock } = this.#world;
    let from: From | undefined;
    do {
      const until = clock.now() + patience;
      from = await reconcileRepository({ ...this.#world, found }, repository, thoroughness, { until, from });
    } while (from !== undefined);
  }

  /** Some of the waiting events reach the indexer: in any order, some twice, some never. */
  #deliver(): void {
    const random = this.#random;
    const { events } = this.#world;
    const batch = Array.from({ length: 1 + random.below(4) }, () => {
      const event = random.pick(events);
      if (events.length > 1 && !random.chance(0.2)) events.splice(events.indexOf(event), 1);
      return event;
    });
    if (events.length === 1 || random.chance(0.5)) events.splice(0, 1);
    this.figures.events += batch.length;
    if (random.chance(0.25)) {
      this.figures.eventsDropped += batch.length;
      return;
    }
    this.#actors += 1;
    const again = () => {
      if (!random.chance(0.3)) events.push(...batch);
    };
    this.#scheduler.start(
      `indexer${this.#actors}`,
      INDEXER_MS,
      async () => {
        for (const [repository, ofRepository] of byRepository(batch)) {
          const work = handleObjectEvents(this.#world, repository, ofRepository);
          if ((await this.#answerOf('index', work)) !== 'done') again();
        }
      },
      again,
    );
  }

  // ---- what was asked and answered ----

  #request(of: Pick<Request, 'digest' | 'isShared'>): Request {
    this.#requests += 1;
    return { id: `request${this.#requests}`, ...of, answer: 'unknown' };
  }

  /** @returns `done`, the code of a refusal, or `unknown` where a fault struck */
  async #answerOf(label: string, work: Promise<unknown>, request?: Request): Promise<string> {
    this.#scheduler.note(`${label} …`);
    let answer = 'done';
    try {
      await work;
    } catch (error) {
      if (error instanceof Fault) {
        answer = /^(try_again|being_published)$/.test(error.code) ? 'unknown' : error.code;
      } else if (isInjected(error)) answer = 'unknown';
      else throw error;
    }
    this.#scheduler.note(`${label}: ${answer}`);
    if (request !== undefined) request.answer = answer;
    return answer;
  }

  // ---- the promises ----

  /** What holds at every instant. */
  #checkAlways(): void {
    const { objects } = this.#world.objects;
    hold('what changes is not taken for damage', this.#falseAlarm === undefined, this.#falseAlarm);
    this.#losses.checkAlways();
    for (const { live, provenance, ...id } of this.#world.versions.items()) {
      const before = this.#served.get(nameOf(id));
      if (live === undefined) {
        if (before !== undefined) this.#deleted.add(before);
        this.#served.delete(nameOf(id));
        continue;
      }
      const object = objects.get(live.key);
      hold('what readers see has its package', object !== undefined, nameOf(id));
      if (object !== undefined) this.#served.set(nameOf(id), object);
      hold(
        'a digest is that of the bytes',
        object !== undefined && digestOf(object) === live.digest,
        nameOf(id),
      );
      hold('what readers see has its files', objects.has(filesKey(live.key)), nameOf(id));
      if (provenance?.package !== live.digest) continue;
      const file = objects.get(provenance.key);
      hold('a provenance file that is served is there', file !== undefined, nameOf(id));
      hold('it is for the package', textOf(file?.bytes).includes(live.digest), nameOf(id));
    }
    for (const repository of this.#world.pointers.known()) {
      const pointer = this.#world.pointers.look(repository);
      const isThere = objects.has(`${pointer?.folder}index.yaml`);
      hold('the current index is there', isThere || this.#losses.isIndexLost(pointer?.folder), repository);
    }
  }

  /** All is over; what is left of the events comes or does not. */
  async #settle(): Promise<void> {
    this.#scheduler.faults = { throttle: 0, timeout: 0, kill: 0, jump: 0 };
    this.#scheduler.observe();
    this.#scheduler.advance(RECONCILE_MS);
    this.#checkAlways();
    const { throttled, timedOut, killed } = this.figures;
    if (throttled + timedOut + killed > 0) return;
    // Who helps with an upload may put its package once more, after it was deleted: that is another object.
    const left = [...this.#world.objects.objects].find(([, object]) => this.#deleted.has(object));
    hold('a delete that nothing disturbs leaves no bytes', left === undefined, left?.[0]);
  }

  async #checkEnd(): Promise<void> {
    if (this.#losses.happened) {
      for (const repository of this.#repositories) {
        await this.#reconcileThrice(repository, (finding) => !this.#losses.explains(finding));
      }
      await this.#losses.checkEnd();
    }
    for (const repository of this.#repositories) {
      await this.#checkRepository(repository);
      await this.#reconcileThrice(repository, () => true);
      await this.#checkRepository(repository);
      await this.#checkLeftovers(repository);
      const pointer = this.#world.pointers.look(repository);
      const { indexVersionsPerChart } = this.#world.deployment;
      const isAsSet = pointer === undefined || (pointer.perChart ?? 0) === indexVersionsPerChart;
      hold('the index lists as many versions as are set', isAsSet, repository);
    }
    const { notices } = this.#world;
    const alarm = notices.find(
      (notice) =>
        !['clean_up_failed', 'rebuild_put_off'].includes(notice.kind) && !this.#losses.explainsNotice(notice),
    );
    hold('no false alarm is raised', alarm === undefined, JSON.stringify(alarm));
    const items = new Map(this.#world.versions.items().map((item) => [nameOf(item), item]));
    for (const id of this.#ids) {
      if (this.#losses.isLost(id)) continue;
      const told = this.#world.audit.changes().filter((change) => isOf(change, id));
      this.#ledger.hear(id, told);
      this.#ledger.check(id, items.get(nameOf(id)));
    }
  }

  /** Dead uploads end at the first time, and what they left behind goes at the second. */
  async #reconcileThrice(repository: Repository, isWrong: (finding: Finding) => boolean): Promise<void> {
    for (let pass = 0; pass < 3; pass += 1) {
      this.#scheduler.advance(2 * 60 * 60 * 1000);
      const damage: Finding[] = [];
      const found = (finding: Finding) => {
        if (isDamage(finding) && isWrong(finding)) damage.push(finding);
      };
      await this.#reconcile(repository, found, 'safe', pass === 1 ? 0 : Number.POSITIVE_INFINITY);
      hold('reconciliation finds no damage', damage.length === 0, JSON.stringify(damage[0]));
      this.#checkAlways();
    }
  }

  async #checkRepository(repository: Repository): Promise<void> {
    const { versions, objects } = this.#world;
    this.#scheduler.step += 1;
    const { step } = this.#scheduler;
    const pointer = await currentIndex(this.#world, repository, { rebuildAtMost: Number.POSITIVE_INFINITY });
    this.#observe(repository, step, pointer);
    const items = versions.items().filter((item) => item.repository === repository);
    hold(
      'no mark stays for ever',
      items.every(({ unindexed }) => unindexed === undefined),
    );
    hold(
      'no tombstone stays for ever',
      items.every(({ removed }) => !removed),
    );
    if (pointer === undefined) return;
    const published = textOf(objects.objects.get(`${pointer.folder}index.yaml`)?.bytes);
    const rebuilt = await rebuiltIndex(this.#world, repository, pointer.perChart);
    hold('the index equals a full rebuild', published === rebuilt, `\n${published}\n${rebuilt}`);
  }

  async #checkLeftovers(repository: Repository): Promise<void> {
    const items = this.#world.versions.items().filter((item) => item.repository === repository);
    hold(
      'no reservation stays for ever',
      items.every(({ pending }) => pending === undefined),
    );
    const named = namedKeys(items);
    const pointer = this.#world.pointers.look(repository);
    // Without an index nobody can tell an upload that broke off from a table that was lost.
    if (pointer === undefined) return;
    const path = repository === '' ? '' : `${repository}/`;
    const mine = [...this.#world.objects.objects.keys()].filter((key) =>
      ['charts', 'files', 'index'].some((prefix) => key.startsWith(`${prefix}/${path}-/`)),
    );
    const orphan = mine.find((key) => !named.has(key) && !key.startsWith(pointer.folder));
    hold('reconciliation leaves no orphan', orphan === undefined, orphan);
    const counts = await this.#world.repositories.counts(repository);
    const live = items.filter((item) => item.live !== undefined).length;
    hold('reconciliation counts', counts?.versions === live, `${counts?.versions} for ${live}`);
  }
}

/** Whether an index may leave a version out, since it lists as many newer ones of the chart as it is to. */
function leavesOut(
  pointer: Pointer | undefined,
  listed: ReadonlyMap<string, string>,
  { name, version }: VersionId,
): boolean {
  const others = [...listed.keys()].flatMap((key) => {
    const [chart, text = ''] = key.split(' ');
    return chart === name ? [parseChartVersion(text)] : [];
  });
  const isFull = pointer?.perChart !== undefined && others.length === pointer.perChart;
  return isFull && others.every((other) => compareVersions(other, version) > 0);
}

const senderOf = ({ id: requestId }: Request): By => ({ account: 'somebody', kind: 'user', requestId });

const isOf = (change: AuditedChange, id: VersionId) => 'name' in change && nameOf(change) === nameOf(id);

/** Whether a fault struck, or somebody else was faster all the time. */
function isInjected(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isInjected);
  return error instanceof InjectedFault || /overtaken/.test(String(error));
}

/** Mostly very few, so that those who change them meet. */
function chooseVersions(random: Random, all: readonly VersionId[]): readonly VersionId[] {
  const first = random.pick(all);
  if (random.chance(0.5)) return [first];
  const inRepository = all.filter(({ repository }) => repository === first.repository);
  return random.chance(0.7) ? inRepository : all;
}

function chooseLoss(random: Random): Loss {
  return random.chance(0.6) ? 'nothing' : random.pick(['items', 'pointer', 'items and pointer', 'index']);
}

function chooseFaults(random: Random): Faults {
  if (random.chance(0.3)) return { throttle: 0, timeout: 0, kill: 0, jump: 0 };
  const some = [0, 0.01, 0.05];
  return {
    throttle: random.pick(some),
    timeout: random.pick(some),
    kill: random.pick(some),
    jump: random.pick([0, 0.005, 0.03]),
  };
}
