import { currentIndex } from '../shared/current-index.ts';
import { upkeep } from '../shared/domain/audit.ts';
import { type ChartName, parseChartName } from '../shared/domain/chart-name.ts';
import { partSizes } from '../shared/domain/compose-index.ts';
import { digestOf } from '../shared/domain/digest.ts';
import { packageKey, type VersionId } from '../shared/domain/object-keys.ts';
import { parseChartVersion } from '../shared/domain/version.ts';
import { byRepository, handleObjectEvents, type ObjectEvent } from '../shared/handle-object-events.ts';
import { loadRefresh } from '../shared/load-refresh.ts';
import type { ObjectStore } from '../shared/store/object-store.ts';
import type { PointerStore } from '../shared/store/pointer-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';
import { type Random, randomFrom } from '../test/random.ts';
import { simulatedWorld, type World } from '../test/simulation/world.ts';
import { assumed } from './cost.ts';
import { type Moved, movedFor } from './moved.ts';
import { root, VERSIONS_OF_A_CHART as VERSIONS_OF_A_LARGE_CHART } from './seed.ts';
import { SimulatedTime } from './simulated-time.ts';

/** What comes to one repository. */
export type Load = {
  readonly versions: number;
  readonly publishesPerSecond: number;
  readonly readsPerSecond: number;
};

export type Outcome = {
  readonly seconds: number;
  readonly publishes: number;
  /** Pointers flipped, by readers and by the indexer. */
  readonly refreshes: { readonly reader: number; readonly indexer: number };
  /** How long each reader waited to hear which index is current, in milliseconds. */
  readonly waits: readonly number[];
  /** Readers who were told to try again. */
  readonly refused: number;
  /** From each 201 until an index with it was current, in milliseconds. */
  readonly visible: readonly number[];
  readonly bytesPut: number;
  /** Of uploads in parts. */
  readonly partsPut: number;
};

// An upload in parts is begun and completed, and S3 copies those that are kept meanwhile, side by side.
const COMPOSING_MS = 2 * assumed.s3Ms + 150;

// The bucket tells of an object within a second or so.
const EVENT_MS = { least: 200, most: 1_200 };
// infra/indexer.ts
const WINDOW_MS = 1_000;
const BATCH = 100;
const INDEXERS = 2;

// So many that few versions are replaced before an index lists them.
const CHARTS = 50;
const VERSIONS_OF_A_CHART = 10;
const PREFIX = 'chart-';

/**
 * Lets publishers, readers and the indexer meet at one repository, in simulated time. They run the code that is
 * deployed, over stores in memory, and every call takes the time that it is assumed to take on AWS. The index in
 * memory is small, so that a run takes seconds; the time of its bytes is that of an index of so many versions.
 */
export async function simulate(load: Load, seconds: number, seed = 1): Promise<Outcome> {
  await loadRefresh();
  const run = new Run(load, randomFrom(seed));
  await run.prepare();
  return await run.go(seconds);
}

class Run {
  readonly #load: Load;
  readonly #random: Random;
  readonly #time = new SimulatedTime();
  readonly #world: World;
  readonly #ids: VersionId[] = [];
  readonly #waiting: ObjectEvent[] = [];
  readonly #unseen = new Map<string, number>();
  readonly #refreshes = { reader: 0, indexer: 0 };
  readonly #waits: number[] = [];
  readonly #visible: number[] = [];
  #isTimed = false;
  #isGathering = false;
  #indexers = 0;
  #publishes = 0;
  #refused = 0;
  #bytesPut = 0;
  #partsPut = 0;

  constructor(load: Load, random: Random) {
    this.#load = load;
    this.#random = random;
    this.#world = simulatedWorld({
      clock: this.#time.clock,
      hook: async ({ store, phase }) => {
        if (phase === 'before') await this.#call(store === 'objects' ? assumed.s3Ms : assumed.dynamoDbMs);
      },
    });
    for (let n = 0; n < CHARTS * VERSIONS_OF_A_CHART; n += 1) {
      const name = parseChartName(`${PREFIX}${n % CHARTS}`);
      this.#ids.push({ repository: root, name, version: parseChartVersion(`1.0.${Math.floor(n / CHARTS)}`) });
    }
  }

  async prepare(): Promise<void> {
    for (const id of this.#ids) await this.#publish(id);
    await currentIndex(this.#world, root);
    this.#world.events.length = 0;
    this.#unseen.clear();
    this.#publishes = 0;
    this.#isTimed = true;
  }

  async go(seconds: number): Promise<Outcome> {
    const { publishesPerSecond, readsPerSecond } = this.#load;
    const reader = this.#counting('reader');
    this.#arrive(publishesPerSecond, async () => {
      await this.#publish(this.#random.pick(this.#ids));
      for (const event of this.#world.events.splice(0)) this.#deliver(event);
    });
    this.#arrive(readsPerSecond, async () => {
      const began = this.#time.now;
      await currentIndex(reader, root).catch(() => {
        this.#refused += 1;
      });
      this.#waits.push(this.#time.now - began);
    });
    await this.#time.run(seconds * 1000);
    return {
      seconds,
      publishes: this.#publishes,
      refreshes: this.#refreshes,
      waits: this.#waits,
      refused: this.#refused,
      visible: this.#visible,
      bytesPut: this.#bytesPut,
      partsPut: this.#partsPut,
    };
  }

  /** Half of the calls take what is assumed, one in a hundred five times as long. */
  async #call(milliseconds: number): Promise<void> {
    if (!this.#isTimed) return;
    const slow = this.#random.chance(0.01) ? 5 : 1;
    await this.#time.clock.sleep(milliseconds * this.#random.between(0.6, 1.4) * slow);
  }

  /** At random moments, as many a second on average. */
  #arrive(perSecond: number, work: () => Promise<void>): void {
    if (perSecond === 0) return;
    const arriving = async () => {
      for (;;) {
        await this.#time.clock.sleep((-Math.log(1 - this.#random.next()) * 1000) / perSecond);
        void work();
      }
    };
    void arriving();
  }

  async #publish(id: VersionId): Promise<void> {
    const { versions, objects, newId, clock } = this.#world;
    const now = clock.now();
    const created = new Date(now).toISOString();
    const digest = digestOf(Buffer.from(newId()));
    const change = { id: newId(), at: created, by: upkeep, action: 'published', digest } as const;
    const key = packageKey(id, digest, newId());
    const entry = JSON.stringify({ name: id.name, version: id.version });
    const pending = { digest, sizeBytes: 1, entry, key, created, expires: now + 60_000, change };
    // Two who meet at one version: the other publishes it.
    if (!(await versions.reserve(id, pending, { overwrite: true, now }))) return;
    await objects.put(key, new Uint8Array(1), { contentType: 'application/x-tar' });
    if (!(await versions.commit(id, pending))) return;
    this.#publishes += 1;
    this.#unseen.set(digest, this.#time.now);
  }

  #deliver(event: ObjectEvent): void {
    const arriving = async () => {
      await this.#time.clock.sleep(this.#random.between(EVENT_MS.least, EVENT_MS.most));
      this.#waiting.push(event);
      await this.#gather();
    };
    void arriving();
  }

  /** As Lambda does for a queue: it waits for a second, or until a batch is full. */
  async #gather(): Promise<void> {
    if (this.#isGathering) return;
    this.#isGathering = true;
    await this.#time.clock.sleep(WINDOW_MS);
    while (this.#indexers >= INDEXERS) await this.#time.clock.sleep(10);
    this.#isGathering = false;
    const batch = this.#waiting.splice(0, BATCH);
    if (this.#waiting.length > 0) void this.#gather();
    this.#indexers += 1;
    const indexer = this.#counting('indexer');
    for (const [repository, events] of byRepository(batch)) {
      // What fails comes again: with the next events, which are never far here.
      await handleObjectEvents(indexer, repository, events).catch(() => {
        this.#waiting.push(...events);
      });
    }
    this.#indexers -= 1;
  }

  /** The stores with the time that a large index takes, and with who flips counted. */
  #counting(who: 'reader' | 'indexer') {
    const { pointers, objects, versions } = this.#world;
    const changed = new Set<number>();
    return {
      ...this.#world,
      // The index in memory is put as a whole, whatever the one does whose time it takes.
      partSizes,
      pointers: {
        ...pointers,
        flip: async (repository, previous, next) => {
          const isFlipped = await pointers.flip(repository, previous, next);
          if (isFlipped) {
            this.#refreshes[who] += 1;
            this.#look(next.folder);
          }
          return isFlipped;
        },
      } satisfies PointerStore,
      versions: {
        ...versions,
        // Nobody but a refresh reads a chart, and it reads those that changed.
        ofChart: (repository, name) => {
          changed.add(this.#placeOf(name));
          return versions.ofChart(repository, name);
        },
      } satisfies VersionStore,
      objects: { ...objects, ...this.#heavy(objects, changed) },
    };
  }

  /** How many charts the index has whose time it takes. */
  get #charts(): number {
    return this.#load.versions / VERSIONS_OF_A_LARGE_CHART;
  }

  /** Where a chart is in it: they lie all over the index. */
  #placeOf(name: ChartName): number {
    return Math.floor(((Number(name.slice(PREFIX.length)) + 0.5) * this.#charts) / CHARTS);
  }

  /** @param changed the places of the charts that a refresh has read; emptied when it puts its index */
  #heavy(objects: ObjectStore, changed: Set<number>): Pick<ObjectStore, 'get' | 'put'> {
    const { megabytesPerSecond, cpuMsPerMegabyte } = assumed;
    const carry = ({ bytes }: Moved) => (bytes / 1e6) * (1000 / megabytesPerSecond + cpuMsPerMegabyte);
    return {
      get: async (key, range) => {
        // First, since the charts are read meanwhile.
        const found = await objects.get(key, range);
        if (key.endsWith('/index.yaml')) await this.#call(carry(await movedFor(this.#charts, changed)));
        return found;
      },
      put: async (key, content, options) => {
        if (key.endsWith('/index.yaml')) {
          const moved = await movedFor(this.#charts, changed);
          changed.clear();
          this.#bytesPut += moved.bytes;
          this.#partsPut += moved.parts;
          await this.#call(carry(moved) + (moved.parts > 0 ? COMPOSING_MS : 0));
        }
        await objects.put(key, content, options);
      },
    };
  }

  /** What an index that is current lists was visible from now on. */
  #look(folder: string): void {
    const text = Buffer.from(this.#world.objects.objects.get(`${folder}index.yaml`)?.bytes ?? '').toString();
    for (const [digest, since] of this.#unseen) {
      if (!text.includes(digest)) continue;
      this.#visible.push(this.#time.now - since);
      this.#unseen.delete(digest);
    }
  }
}
