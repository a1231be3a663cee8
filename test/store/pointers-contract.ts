import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { indexFolder } from '../../shared/domain/object-keys.ts';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import type { Pointer, PointerStore } from '../../shared/store/pointer-store.ts';
import { aRepository, now } from './records.ts';

function aPointer(repository: Repository, sequence: number): Pointer {
  const folder = indexFolder(repository, sequence, randomUUID());
  return { sequence, folder, sizeBytes: 123_456, versions: 7, settings: 'json', shrank: [], flips: [] };
}

/** What every pointer store promises. */
export function pointersContract(open: () => PointerStore): void {
  describe('pointers', () => {
    it('are undefined until the first flip, and then what it said', async () => {
      const repository = aRepository();
      expect(await open().get(repository)).toBeUndefined();
      const first = aPointer(repository, 1);
      expect(await open().flip(repository, undefined, first)).toBe(true);
      expect(await open().get(repository)).toEqual(first);
    });

    it('remember where an index shrank, where what was lost is listed, and when they flipped', async () => {
      const repository = aRepository();
      const shrank = [{ before: 'index/-/1-a/', after: 'index/-/2-b/' }];
      const flips = [{ sequence: 1, began: now, at: now + 250, marks: 7 }];
      const pointer = { ...aPointer(repository, 1), shrank, lost: 'index/-/2-b/', flips };
      await open().flip(repository, undefined, pointer);
      expect(await open().get(repository)).toEqual(pointer);
    });

    it('remember how many versions of each chart an index lists, where it does not list all', async () => {
      const repository = aRepository();
      const [few, all] = [{ ...aPointer(repository, 1), perChart: 5 }, aPointer(repository, 2)];
      await open().flip(repository, undefined, few);
      expect(await open().get(repository)).toEqual(few);
      await open().flip(repository, few, all);
      expect(await open().get(repository)).toEqual(all);
    });

    it('do not flip from a lost pointer whose sequence came again', async () => {
      const repository = aRepository();
      const [lost, again] = [aPointer(repository, 1), aPointer(repository, 1)];
      await open().flip(repository, undefined, again);
      expect(await open().flip(repository, lost, aPointer(repository, 2))).toBe(false);
      expect(await open().get(repository)).toEqual(again);
    });

    it('flip where the previous one is still current, and only there', async () => {
      const repository = aRepository();
      const [first, second] = [aPointer(repository, 1), aPointer(repository, 2)];
      const late = aPointer(repository, 2);
      await open().flip(repository, undefined, first);
      expect(await open().flip(repository, first, second)).toBe(true);
      expect(await open().flip(repository, first, late)).toBe(false);
      expect(await open().flip(repository, undefined, late)).toBe(false);
      expect(await open().get(repository)).toEqual(second);
    });

    it('do not flip from a pointer that is not there', async () => {
      const repository = aRepository();
      expect(await open().flip(repository, aPointer(repository, 1), aPointer(repository, 2))).toBe(false);
      expect(await open().get(repository)).toBeUndefined();
    });

    it('do not meet themselves: the very same flip again is true', async () => {
      const repository = aRepository();
      const [first, second] = [aPointer(repository, 1), aPointer(repository, 2)];
      expect(await open().flip(repository, undefined, first)).toBe(true);
      expect(await open().flip(repository, undefined, first)).toBe(true);
      expect(await open().flip(repository, first, second)).toBe(true);
      expect(await open().flip(repository, first, second)).toBe(true);
    });

    it.each([{ there: false }, { there: true }])(
      'let one of 20 parallel flips win (%o)',
      async ({ there }) => {
        const repository = aRepository();
        const previous = there ? aPointer(repository, 1) : undefined;
        if (previous !== undefined) await open().flip(repository, undefined, previous);
        const rivals = Array.from({ length: 20 }, () => aPointer(repository, 2));
        const answers = await Promise.all(rivals.map((next) => open().flip(repository, previous, next)));
        expect(answers.filter(Boolean)).toHaveLength(1);
        expect(await open().get(repository)).toEqual(rivals[answers.indexOf(true)]);
      },
    );

    it('are kept apart at every depth', async () => {
      const own = aRepository();
      const repositories = [[own], [own, 'b'], [own, 'b', 'c'], [`${own}b`]].map(parseRepository);
      for (const [n, repository] of repositories.entries()) {
        expect(await open().flip(repository, undefined, aPointer(repository, n))).toBe(true);
      }
      for (const [n, repository] of repositories.entries()) {
        expect((await open().get(repository))?.sequence).toBe(n);
      }
    });
  });

  describe('leases', () => {
    const times = { now, expires: now + 1_000 };

    it('are held by one until they expire or are given back', async () => {
      const repository = aRepository();
      expect(await open().lease(repository, 'me', times)).toBe(true);
      expect(await open().lease(repository, 'you', times)).toBe(false);
      expect(await open().lease(repository, 'you', { now: now + 999, expires: now + 2_000 })).toBe(false);
      expect(await open().lease(repository, 'you', { now: now + 1_000, expires: now + 2_000 })).toBe(true);
      expect(await open().lease(repository, 'me', { now: now + 1_500, expires: now + 2_500 })).toBe(false);
      await open().release(repository, 'you');
      expect(await open().lease(repository, 'me', { now: now + 1_500, expires: now + 2_500 })).toBe(true);
    });

    it('can be prolonged by their holder', async () => {
      const repository = aRepository();
      await open().lease(repository, 'me', times);
      expect(await open().lease(repository, 'me', { now, expires: now + 9_000 })).toBe(true);
      expect(await open().lease(repository, 'you', { now: now + 8_999, expires: now + 20_000 })).toBe(false);
    });

    it('are not given back by somebody else, nor where there is none', async () => {
      const repository = aRepository();
      await open().release(repository, 'you');
      await open().lease(repository, 'me', times);
      await open().release(repository, 'you');
      expect(await open().lease(repository, 'you', times)).toBe(false);
    });

    it('are won by one of 20 who ask at once', async () => {
      const repository = aRepository();
      const holders = Array.from({ length: 20 }, (_, n) => `holder ${n}`);
      const answers = await Promise.all(holders.map((holder) => open().lease(repository, holder, times)));
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it('of one thing are no lease of another', async () => {
      const repository = aRepository();
      expect(await open().lease(repository, 'me', times)).toBe(true);
      expect(await open().lease(repository, 'you', times, 'rebuild')).toBe(true);
      expect(await open().lease(repository, 'me', times, 'rebuild')).toBe(false);
      await open().release(repository, 'you', 'rebuild');
      expect(await open().lease(repository, 'me', times, 'rebuild')).toBe(true);
      expect(await open().lease(repository, 'you', times)).toBe(false);
    });

    it('leave the pointer alone', async () => {
      const repository = aRepository();
      await open().lease(repository, 'me', times);
      expect(await open().get(repository)).toBeUndefined();
      const first = aPointer(repository, 1);
      expect(await open().flip(repository, undefined, first)).toBe(true);
      await open().release(repository, 'me');
      expect(await open().get(repository)).toEqual(first);
    });
  });
}
