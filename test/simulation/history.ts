import { createHash } from 'node:crypto';
import { currentIndex } from '../../shared/current-index.ts';
import { deleteChart, deleteVersion } from '../../shared/delete.ts';
import { Fault } from '../../shared/domain/fault.ts';
import { namedKeys } from '../../shared/domain/leftovers.ts';
import { filesKey, type VersionId } from '../../shared/domain/object-keys.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import { type Finding, isDamage } from '../../shared/findings.ts';
import { byRepository, handleObjectEvents } from '../../shared/handle-object-events.ts';
import { publishChecked } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import type { Pointer } from '../../shared/store/pointer-store.ts';
import { type Random, randomFrom } from '../random.ts';
import type { MemoryObject } from '../store/memory-objects.ts';
import type { Prepared } from './packages.ts';
import { impossible, isExplained, type Operation } from './register.ts';
import { type Faults, type Figures, InjectedFault, Scheduler } from './scheduler.ts';
import { rebuiltIndex, simulatedWorld, textOf, type World } from './world.ts';

export type HistoryFigures = Figures & { operations: number; events: number; eventsDropped: number };

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

/** A promise that was broken. */
class Violation extends Error {}

function hold(promise: string, holds: boolean, detail = ''): void {
  if (!holds) throw new Violation(`${promise}${detail && `: ${detail}`}`);
}

/** What somebody asked about one version, while it may still be answered. */
type Asked = { -readonly [Key in keyof Operation]: Operation[Key] };

/** An acknowledged or attempted provenance file. */
type Signing = {
  readonly start: number;
  end: number;
  readonly package: string;
  acknowledged: boolean;
  /** The publish that brings it, where one does. */
  readonly by?: Asked;
};

const digests = new WeakMap<MemoryObject, string>();

function digestOf(object: MemoryObject): string {
  const known = digests.get(object);
  if (known !== undefined) return known;
  const digest = createHash('sha256').update(object.bytes).digest('hex');
  digests.set(object, digest);
  return digest;
}

const nameOf = ({ repository, name, version }: VersionId) => `${repository}/${name} ${version}`;

class History {
  readonly figures: HistoryFigures;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #world: World;
  readonly #packages: Packages;
  readonly #ids: readonly VersionId[];
  readonly #asked = new Map<VersionId, Asked[]>();
  /** Who changes what is live, or may have. */
  readonly #changes = new Map<VersionId, Set<Asked>>();
  readonly #signings = new Map<VersionId, Signing[]>();
  /** The package of each version at the last look, and those that a delete took away. */
  readonly #served = new Map<string, MemoryObject>();
  readonly #deleted = new Set<MemoryObject>();
  #falseAlarm: string | undefined;
  #actors = 0;

  constructor(seed: number, packages: Packages) {
    this.#random = randomFrom(seed);
    this.#packages = packages;
    this.#ids = chooseVersions(this.#random, [...packages.keys()]);
    this.#scheduler = new Scheduler(this.#random, chooseFaults(this.#random));
    this.#world = simulatedWorld(this.#scheduler);
    this.figures = Object.assign(this.#scheduler.figures, { operations: 0, events: 0, eventsDropped: 0 });
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
      if (random.chance(0.5)) this.#startReconciliation();
      // The next round begins when all have ended, or among those who have not.
      await this.#play(random.chance(0.5) ? MOST_STEPS : random.below(60));
      if (random.chance(0.3)) this.#scheduler.advance(random.pick([2_100, 61_000, 2 * 60 * 60 * 1000]));
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
    const asked = this.#ask(id, label, (state) => (state !== undefined && !overwrite ? impossible : digest));
    const signing = withProvenance ? this.#beginSigning(id, digest, asked) : undefined;
    this.#changesOf(id).add(asked);
    const answer = await this.#answerOf(label, publishChecked(this.#world, upload, { overwrite }));
    const { step } = this.#scheduler;
    if (answer === 'done') {
      asked.certain = true;
      asked.end = step;
      if (signing !== undefined) signing.acknowledged = true;
    }
    if (answer === 'version_exists') {
      // It may have helped another's reservation to its end, which is the other's change.
      this.#changesOf(id).delete(asked);
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
    const signing = this.#beginSigning(id, digest);
    const { step } = this.#scheduler;
    const upload = { repository: id.repository, provenance, overwrite };
    const answer = await this.#answerOf(label, publishProvenance(this.#world, upload));
    signing.end = this.#scheduler.step;
    if (answer !== 'done') return;
    signing.acknowledged = true;
    const fits: Operation['effect'] = (state) =>
      state === undefined || state === digest ? state : impossible;
    const asked = this.#ask(id, label, fits, step);
    asked.certain = true;
    asked.end = this.#scheduler.step;
  }

  async #delete(id: VersionId, killed: (() => void)[]): Promise<void> {
    const label = `delete ${nameOf(id)}`;
    const asked = this.#askDeletion(id, label, killed);
    this.#endDeletion(asked, await this.#answerOf(label, deleteVersion(this.#world, id)));
  }

  async #deleteChart(id: VersionId, killed: (() => void)[]): Promise<void> {
    const label = `delete all ${id.repository}/${id.name}`;
    const versions = this.#ids.filter(
      ({ repository, name }) => repository === id.repository && name === id.name,
    );
    const asked = versions.map((each) => this.#askDeletion(each, label, killed));
    const answer = await this.#answerOf(label, deleteChart(this.#world, id.repository, id.name));
    for (const each of asked) this.#endDeletion(each, answer);
  }

  #askDeletion(id: VersionId, label: string, killed: (() => void)[]): Asked {
    const asked = this.#ask(id, label, () => undefined);
    this.#changesOf(id).add(asked);
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
    if (answer === 'done') this.#observe(repository, start, pointer);
  }

  /** What a reader saw counts as asked, for every version: each was so at some instant of the read. */
  #observe(repository: Repository, start: number, pointer: Pointer | undefined): void {
    const listed = this.#listed(pointer);
    for (const id of this.#ids.filter((each) => each.repository === repository)) {
      const seen = listed.get(`${id.name} ${id.version}`);
      const what = `read ${nameOf(id)} ${seen?.slice(0, 4) ?? 'none'}`;
      const asked = this.#ask(id, what, (state) => (state === seen ? state : impossible), start);
      asked.certain = true;
      asked.end = this.#scheduler.step;
    }
  }

  #listed(pointer: Pointer | undefined): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    if (pointer === undefined) return found;
    const index = this.#world.objects.objects.get(`${pointer.folder}index.yaml`);
    const { entries } = JSON.parse(Buffer.from(index?.bytes ?? '{}').toString()) as {
      entries: Record<string, { name: string; version: string; digest: string }[]>;
    };
    for (const { name, version, digest } of Object.values(entries).flat()) {
      hold('a version is listed once', !found.has(`${name} ${version}`), `${name} ${version}`);
      found.set(`${name} ${version}`, digest);
    }
    return found;
  }

  #startReconciliation(): void {
    this.#actors += 1;
    const repository = this.#random.pick(this.#repositories);
    const found = (finding: Finding) => {
      if (isDamage(finding)) this.#falseAlarm ??= JSON.stringify(finding);
    };
    this.#scheduler.start(`reconcile${this.#actors}`, RECONCILE_MS, async () => {
      const work = reconcileRepository({ ...this.#world, found }, repository, 'safe');
      await this.#answerOf('reconcile', work);
    });
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

  #ask(id: VersionId, what: string, effect: Operation['effect'], start = this.#scheduler.step): Asked {
    const asked: Asked = { what, start, end: Number.POSITIVE_INFINITY, certain: false, effect };
    this.#asked.set(id, [...(this.#asked.get(id) ?? []), asked]);
    return asked;
  }

  #changesOf(id: VersionId): Set<Asked> {
    const changes = this.#changes.get(id) ?? new Set();
    this.#changes.set(id, changes);
    return changes;
  }

  #beginSigning(id: VersionId, digest: string, by?: Asked): Signing {
    const signing: Signing = {
      start: this.#scheduler.step,
      end: Number.POSITIVE_INFINITY,
      package: digest,
      acknowledged: false,
      ...(by && { by }),
    };
    this.#signings.set(id, [...(this.#signings.get(id) ?? []), signing]);
    return signing;
  }

  /** @returns `done`, the code of a refusal, or `unknown` where a fault struck */
  async #answerOf(label: string, work: Promise<unknown>): Promise<string> {
    this.#scheduler.note(`${label} …`);
    let answer = 'done';
    try {
      await work;
    } catch (error) {
      if (error instanceof Fault) {
        answer = /^(try_again|being_published)$/.test(error.code) ? 'unknown' : error.code;
      } else if (error instanceof InjectedFault || /overtaken/.test(String(error))) answer = 'unknown';
      else throw error;
    }
    this.#scheduler.note(`${label}: ${answer}`);
    return answer;
  }

  // ---- the promises ----

  /** What holds at every instant. */
  #checkAlways(): void {
    const { objects } = this.#world.objects;
    hold('what changes is not taken for damage', this.#falseAlarm === undefined, this.#falseAlarm);
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
      hold('the current index is there', objects.has(`${pointer?.folder}index.yaml`), repository);
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
    for (const repository of this.#repositories) {
      await this.#checkRepository(repository);
      // Dead uploads end at the first time, and what they left behind goes at the second.
      for (let pass = 0; pass < 3; pass += 1) {
        this.#scheduler.advance(2 * 60 * 60 * 1000);
        const damage: Finding[] = [];
        const found = (finding: Finding) => void (isDamage(finding) && damage.push(finding));
        await reconcileRepository({ ...this.#world, found }, repository, 'safe');
        hold('reconciliation finds no damage', damage.length === 0, JSON.stringify(damage[0]));
        this.#checkAlways();
      }
      await this.#checkRepository(repository);
      await this.#checkLeftovers(repository);
    }
    const { notices } = this.#world;
    const alarm = notices.find(({ kind }) => kind !== 'clean_up_failed');
    hold('no false alarm is raised', alarm === undefined, JSON.stringify(alarm));
    for (const [id, asked] of this.#asked) {
      hold('every answer can be explained', isExplained(asked), this.#story(asked));
      this.#checkSignings(id);
    }
  }

  #story(asked: readonly Asked[]): string {
    const lines = asked.map(
      ({ what, start, end, certain }) => `${what} [${start}, ${end}]${certain ? '' : ' not answered'}`,
    );
    return `\n  ${lines.join('\n  ')}`;
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
    const rebuilt = await rebuiltIndex(this.#world, repository);
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

  /** A provenance file that was acknowledged is served with its package, unless something took its place. */
  #checkSignings(id: VersionId): void {
    const item = this.#world.versions
      .items()
      .find((each) => each.repository === id.repository && nameOf(each) === nameOf(id));
    const signings = this.#signings.get(id) ?? [];
    for (const { start, package: digest, acknowledged, by } of signings) {
      if (!acknowledged || item?.live?.digest !== digest) continue;
      const others = signings.filter((other) => other.package !== digest && other.end >= start);
      const changes = [...this.#changesOf(id)].filter((change) => change !== by && change.end >= start);
      // One that came with its package is replaced by none that is for another, while that package is live.
      if (changes.length > 0 || (by === undefined && others.length > 0)) continue;
      hold('an acknowledged provenance file stays', item.provenance?.package === digest, nameOf(id));
    }
  }
}

/** Mostly very few, so that those who change them meet. */
function chooseVersions(random: Random, all: readonly VersionId[]): readonly VersionId[] {
  const first = random.pick(all);
  if (random.chance(0.5)) return [first];
  const inRepository = all.filter(({ repository }) => repository === first.repository);
  return random.chance(0.7) ? inRepository : all;
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
