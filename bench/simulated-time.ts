import type { Clock } from '../shared/clock.ts';

type Sleeper = { readonly until: number; readonly wake: () => void };

/** Drains all microtasks: in a simulation nothing waits for anything else. */
const quiet = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A clock that goes on to the next instant at which somebody wakes, as soon as all others sleep. */
export class SimulatedTime {
  #now = Date.parse('2026-01-02T03:04:05.000Z');
  /** The next to wake is the last. */
  readonly #sleepers: Sleeper[] = [];

  readonly clock: Clock = {
    now: () => Math.floor(this.#now),
    sleep: (milliseconds) => new Promise((wake) => this.#insert({ until: this.#now + milliseconds, wake })),
  };

  /** With fractions of a millisecond. */
  get now(): number {
    return this.#now;
  }

  /** Lets time pass. */
  async run(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await quiet();
    for (;;) {
      const next = this.#sleepers.at(-1);
      if (next === undefined || next.until > end) break;
      this.#sleepers.pop();
      this.#now = Math.max(this.#now, next.until);
      next.wake();
      await quiet();
    }
    this.#now = end;
  }

  /** Who sleeps as long as another wakes after it. */
  #insert(sleeper: Sleeper): void {
    let [low, high] = [0, this.#sleepers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sleepers[middle]?.until ?? 0) > sleeper.until) low = middle + 1;
      else high = middle;
    }
    this.#sleepers.splice(low, 0, sleeper);
  }
}
