import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { FailurePair, FailureStore } from '../../shared/store/failure-store.ts';
import { now } from './records.ts';

const aPair = () => randomUUID() as FailurePair;

/** To the second, as what is stored. */
const until = Math.ceil(now / 1000) * 1000 + 300_000;

/** What every store of failures promises. */
export function failuresContract(open: () => FailureStore): void {
  describe('failures', () => {
    it('are none at first', async () => {
      expect(await open().get(aPair(), now)).toBeUndefined();
    });

    it('are counted, each pair by itself, and forgotten with the first', async () => {
      const [pair, other] = [aPair(), aPair()];
      await open().add(pair, now, until);
      await open().add(pair, now + 1000, until + 1000);
      await open().add(other, now, until);
      expect(await open().get(pair, now)).toEqual({ count: 2, until });
      expect(await open().get(pair, until - 1)).toEqual({ count: 2, until });
      expect(await open().get(other, now)).toEqual({ count: 1, until });
    });

    it('count no more once their time is over, and begin again with one', async () => {
      const pair = aPair();
      for (let each = 0; each < 3; each += 1) await open().add(pair, now, until);
      expect(await open().get(pair, until)).toBeUndefined();
      await open().add(pair, until, until + 300_000);
      expect(await open().get(pair, until)).toEqual({ count: 1, until: until + 300_000 });
    });

    it.each([
      { when: 'at first', before: 0 },
      { when: 'after a time that is over', before: 5 },
    ])('are all counted when they come at once, $when', async ({ before }) => {
      const pair = aPair();
      for (let each = 0; each < before; each += 1) await open().add(pair, now - 600_000, now - 300_000);
      await Promise.all(Array.from({ length: 10 }, () => open().add(pair, now, until)));
      expect(await open().get(pair, now)).toEqual({ count: 10, until });
    });

    it('are forgotten at a whole second, never earlier than asked', async () => {
      const pair = aPair();
      await open().add(pair, now, until - 1);
      expect(await open().get(pair, now)).toEqual({ count: 1, until });
    });
  });
}
