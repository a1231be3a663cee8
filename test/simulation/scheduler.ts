import type { Clock } from '../../shared/clock.ts';
import type { Random } from '../random.ts';
import type { Call } from '../store/hook.ts';

/** What befalls a history; each a probability at every call. */
export type Faults = {
  /** The call fails and did nothing. */
  readonly throttle: number;
  /** The call fails for its caller, and was done. */
  readonly timeout: number;
  /** The actor ends, before or after the call was done. */
  readonly kill: number;
  /** The clock jumps beyond reservations and leases. */
  readonly jump: number;
};

export type Figures = { calls: number; throttled: number; timedOut: number; killed: number; jumps: number };

type Actor = {
  readonly name: string;
  readonly born: number;
  readonly livesMs: number;
  readonly whenKilled: () => void;
  alive: boolean;
};

/** A continuation that waits to be chosen. */
type Parked = { readonly actor: Actor; readonly from: number; readonly resume: () => void };

export class InjectedFault extends Error {}

/** Drains all microtasks: nothing in a simulation waits for anything else. */
const quiet = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Runs actors one at a time. Every call of a store is a point where another may go first, where the caller
 * may be struck by a fault, or where it may end for ever. A seed decides all of it.
 */
export class Scheduler {
  readonly figures: Figures = { calls: 0, throttled: 0, timedOut: 0, killed: 0, jumps: 0 };
  readonly trace: string[] = [];
  step = 0;
  faults: Faults;
  readonly #random: Random;
  readonly #parked: Parked[] = [];
  #current: Actor | undefined;
  #now = Date.parse('2026-01-02T03:04:05.000Z');

  constructor(random: Random, faults: Faults) {
    this.#random = random;
    this.faults = faults;
  }

  readonly clock: Clock = {
    now: () => this.#now,
    sleep: (milliseconds) => this.#park(this.#now + milliseconds),
  };

  /** For the memory stores. */
  readonly hook = async ({ store, operation, phase }: Call): Promise<void> => {
    const actor = this.#current;
    const random = this.#random;
    if (actor === undefined) return;
    if (phase === 'before') {
      this.figures.calls += 1;
      await this.#park(this.#now);
      this.note(`${actor.name} ${store}.${operation}`);
      if (random.chance(this.faults.throttle)) this.#fail('throttled', actor);
    } else if (random.chance(this.faults.timeout)) {
      this.#fail('timedOut', actor);
    }
    if (random.chance(this.faults.kill)) {
      this.#kill(actor, `${phase} ${operation}`);
      await new Promise(() => {});
    }
  };

  /** @param livesMs the longest that it may take, as a function has a timeout */
  start(name: string, livesMs: number, work: () => Promise<void>, whenKilled = () => {}): void {
    const actor: Actor = { name, born: this.#now, livesMs, whenKilled, alive: true };
    const begin = async () => {
      await this.#park(this.#now, actor);
      await work();
    };
    begin().catch((error: unknown) => {
      this.failures.push(error);
    });
  }

  /** What actors threw that they should not. */
  readonly failures: unknown[] = [];

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const { actor } of [...this.#parked]) {
      if (actor.alive && this.#now - actor.born > actor.livesMs) this.#kill(actor, 'at its timeout');
    }
  }

  /** Lets one actor go on to its next call. @returns false if all have ended */
  async next(): Promise<boolean> {
    this.step += 1;
    const random = this.#random;
    if (random.chance(this.faults.jump)) {
      this.figures.jumps += 1;
      this.advance(random.pick([500, 2_100, 10_000, 61_000]));
    }
    const alive = this.#parked.filter(({ actor }) => actor.alive);
    if (alive.length === 0) return false;
    const ready = alive.filter(({ from }) => from <= this.#now);
    if (ready.length === 0) {
      this.advance(Math.min(...alive.map(({ from }) => from)) - this.#now);
      return true;
    }
    const chosen = random.pick(ready);
    this.#parked.splice(this.#parked.indexOf(chosen), 1);
    this.#now += random.below(20);
    this.#current = chosen.actor;
    chosen.resume();
    await quiet();
    return true;
  }

  note(what: string): void {
    this.trace.push(`${this.step} ${what}`);
  }

  #park(from: number, actor = this.#current): Promise<void> {
    if (actor === undefined) return Promise.resolve();
    return new Promise((resolve) => this.#parked.push({ actor, from, resume: resolve }));
  }

  #fail(how: 'throttled' | 'timedOut', actor: Actor): never {
    this.figures[how] += 1;
    this.note(`${actor.name} ${how}`);
    throw new InjectedFault(how);
  }

  #kill(actor: Actor, where: string): void {
    if (!actor.alive) return;
    actor.alive = false;
    this.figures.killed += 1;
    this.note(`${actor.name} killed ${where}`);
    actor.whenKilled();
  }

  /** Whoever calls a store outside of `next` is an observer: it is not scheduled. */
  observe(): void {
    this.#current = undefined;
  }
}
