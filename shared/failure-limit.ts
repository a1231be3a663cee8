import { createHash } from 'node:crypto';
import type { Clock } from './clock.ts';
import { Fault } from './domain/fault.ts';
import { networkOf } from './domain/network.ts';
import type { FailurePair, FailureStore } from './store/failure-store.ts';

// Enough for a person who tries what it might have been, and for a job that was started before its secret changed.
const MOST_FAILURES = 20;

const COUNTED_MS = 5 * 60_000;

/** An end to guessing: of one account from one address, so that nobody can lock it for others. */
export type FailureLimit = {
  /** @throws Fault `too_many_failures` */
  check(account: string, address: string): Promise<void>;
  failed(account: string, address: string): Promise<void>;
};

export type FailureDependencies = {
  readonly failures: FailureStore;
  readonly clock: Pick<Clock, 'now'>;
  /** Told of a count that could not be read or written. */
  readonly report: (message: string, error: unknown) => void | Promise<void>;
};

/**
 * Counts what is wrong, and refuses after {@link MOST_FAILURES}, until five minutes after the first of them. What is
 * refused does not count.
 *
 * Where the table cannot be asked, nobody is refused for that: the password decides, as it does without any limit. A
 * refusal would lock everybody out for a fault of ours, and a guess lets nobody in.
 */
export function failureLimit({ failures, clock, report }: FailureDependencies): FailureLimit {
  return {
    async check(account, address) {
      const now = clock.now();
      const counted = await failures.get(pairOf(account, address), now).catch(async (error: unknown) => {
        await report('the wrong passwords could not be counted', error);
        return undefined;
      });
      if (counted === undefined || counted.count < MOST_FAILURES) return;
      const retryAfterSeconds = Math.ceil((counted.until - now) / 1000);
      throw new Fault(
        'too_many_failures',
        `${MOST_FAILURES} wrong passwords for this account from your address: stop what sends them, wait ${retryAfterSeconds} s, and send the right one; other accounts are let in as before`,
        { retryAfterSeconds },
      );
    },

    async failed(account, address) {
      const now = clock.now();
      try {
        await failures.add(pairOf(account, address), now, now + COUNTED_MS);
      } catch (error) {
        await report('a wrong password could not be counted', error);
      }
    },
  };
}

/** Of any text, since anything can be sent for a name: as a digest it fits into a key, and names nobody. */
function pairOf(account: string, address: string): FailurePair {
  const pair = JSON.stringify([account, networkOf(address)]);
  return createHash('sha256').update(pair).digest('hex') as FailurePair;
}
