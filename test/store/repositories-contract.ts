import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { Stores } from './contract.ts';
import { aPending, aRepository, aVersionId, now } from './records.ts';

/** What every repository store promises. Other tests may use the same table, so nothing is said of all. */
export function repositoriesContract(open: () => Pick<Stores, 'repositories' | 'versions'>): void {
  /** Repositories with two versions each. */
  async function someRepositories() {
    const own = aRepository();
    const repositories = [[own], [own, 'b'], [own, 'b', 'c'], [`${own}b`]].map(parseRepository);
    for (const repository of repositories) {
      for (const version of ['1.0.0', '2.0.0']) {
        const id = aVersionId({ repository, version });
        await open().versions.reserve(id, aPending(id), { overwrite: false, now });
      }
    }
    return repositories;
  }

  describe('repositories', () => {
    it('are found, each once, whatever the table holds of them', async () => {
      const repositories = await someRepositories();
      const all = await collect(open().repositories.all());
      for (const repository of repositories) {
        expect(all.filter((each) => each === repository)).toEqual([repository]);
        expect(await open().repositories.has(repository)).toBe(true);
      }
      expect(await open().repositories.has(aRepository())).toBe(false);
    });

    it('are found from any one on, in the same order', async () => {
      await someRepositories();
      await open().repositories.setProgress({ began: now, phase: 'done' });
      const all = await collect(open().repositories.all());
      for (const at of [0, Math.floor(all.length / 2), all.length - 1]) {
        expect(await collect(open().repositories.all(all[at]))).toEqual(all.slice(at + 1));
      }
    });

    it('remember their counts', async () => {
      const repository = aRepository();
      expect(await open().repositories.counts(repository)).toBeUndefined();
      for (const counts of [
        { versions: 3, sizeBytes: 123_456_789_012 },
        { versions: 0, sizeBytes: 0 },
      ]) {
        await open().repositories.setCounts(repository, counts);
        expect(await open().repositories.counts(repository)).toEqual(counts);
      }
    });

    it('are forgotten with all that the table holds of them, and no other', async () => {
      const [own, below] = await someRepositories();
      if (own === undefined || below === undefined) throw new Error('unreachable');
      await open().repositories.setCounts(own, { versions: 2, sizeBytes: 3 });
      while (await open().repositories.forgetSome(own));
      expect(await open().repositories.has(own)).toBe(false);
      expect(await open().repositories.counts(own)).toBeUndefined();
      expect(await collect(open().versions.ofRepository(own))).toEqual([]);
      expect(await collect(open().versions.ofRepository(below))).toHaveLength(2);
    });

    it('remember how far a pass over all of them got', async () => {
      const { repository, name } = aVersionId();
      const current = { repository, after: name, counts: { versions: 1, sizeBytes: 2 } };
      for (const progress of [
        { began: now, phase: 'table', after: repository, current } as const,
        { began: now, phase: 'done' } as const,
      ]) {
        await open().repositories.setProgress(progress);
        expect(await open().repositories.progress()).toEqual(progress);
      }
    });
  });
}
