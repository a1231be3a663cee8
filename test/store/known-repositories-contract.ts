import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import type { KnownRepository } from '../../shared/domain/known-repository.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { KnownRepositoryStore } from '../../shared/store/known-repository-store.ts';
import type { SettingsStore } from '../../shared/store/settings-store.ts';
import { anAccessChange, aRepository } from './records.ts';

const aKnown = (parts: Partial<KnownRepository> = {}): KnownRepository => ({
  path: aRepository(),
  created: '2026-01-02T03:04:05.678Z',
  by: 'ada',
  revision: randomUUID(),
  ...parts,
});

/** What every store of known repositories promises. Other tests may use the same table, so nothing is said of all. */
export function knownRepositoriesContract(
  open: () => KnownRepositoryStore,
  openSettings: () => Pick<SettingsStore, 'get' | 'put'>,
): void {
  describe('known repositories', () => {
    it('are undefined where there is none', async () => {
      expect(await open().get(aRepository())).toBeUndefined();
    });

    it('come back as they were put', async () => {
      for (const known of [aKnown(), aKnown({ deleted: '2026-01-03T00:00:00.000Z' })]) {
        expect(await open().put(known, undefined, anAccessChange())).toBe(true);
        expect(await open().get(known.path)).toEqual(known);
      }
    });

    it('are replaced by who saw them as they are, and by nobody else', async () => {
      const first = aKnown();
      await open().put(first, undefined, anAccessChange());
      const second = { ...first, deleted: '2026-01-03T00:00:00.000Z', revision: randomUUID() };
      expect(await open().put(second, undefined, anAccessChange())).toBe(false);
      expect(await open().put(second, 'another revision', anAccessChange())).toBe(false);
      expect(await open().get(first.path)).toEqual(first);
      expect(await open().put(second, first.revision, anAccessChange())).toBe(true);
      expect(await open().get(first.path)).toEqual(second);
    });

    it('take the same write twice, as when its answer was lost', async () => {
      const first = aKnown();
      const second = { ...first, revision: randomUUID() };
      for (const _ of [1, 2]) expect(await open().put(first, undefined, anAccessChange())).toBe(true);
      for (const _ of [1, 2]) expect(await open().put(second, first.revision, anAccessChange())).toBe(true);
    });

    it('bring their settings with them, both or neither', async () => {
      const first = aKnown();
      const { path } = first;
      await openSettings().put(path, { maxVersions: 3 }, anAccessChange());
      const settings = { allowOverwrite: true };
      const said = { said: settings };
      expect(await open().put(first, 'another revision', anAccessChange(), said)).toBe(false);
      expect(await openSettings().get(path)).toEqual({ maxVersions: 3 });
      expect(await open().put(first, undefined, anAccessChange(), said)).toBe(true);
      expect(await openSettings().get(path)).toEqual(settings);
      const second = { ...first, revision: randomUUID() };
      expect(await open().put(second, first.revision, anAccessChange())).toBe(true);
      expect(await openSettings().get(path)).toEqual(settings);
    });

    it('bring settings only in the place of those that were seen, or find their own', async () => {
      const said = { maxVersions: 3, allowOverwrite: true };
      const [first, second] = [aKnown(), aKnown()];
      const put = (known: KnownRepository, seen: object) =>
        open().put(known, undefined, anAccessChange(), { seen, said });
      await openSettings().put(first.path, { maxVersions: 3 }, anAccessChange());
      expect(await put(first, {})).toBe(false);
      expect(await put(first, { maxVersions: 4 })).toBe(false);
      expect(await open().get(first.path)).toBeUndefined();
      expect(await openSettings().get(first.path)).toEqual({ maxVersions: 3 });
      for (const _ of [1, 2]) expect(await put(first, { maxVersions: 3 })).toBe(true);
      for (const _ of [1, 2]) expect(await put(second, {})).toBe(true);
      for (const { path } of [first, second]) expect(await openSettings().get(path)).toEqual(said);
    });

    it('are removed at the revision that was seen, and not made again by who changes one', async () => {
      const first = aKnown();
      await open().put(first, undefined, anAccessChange());
      expect(await open().remove(first.path, 'another revision', anAccessChange())).toBe(false);
      expect(await open().get(first.path)).toEqual(first);
      expect(await open().remove(first.path, first.revision, anAccessChange())).toBe(true);
      expect(await open().remove(first.path, first.revision, anAccessChange())).toBe(false);
      expect(await open().put({ ...first, revision: randomUUID() }, first.revision, anAccessChange())).toBe(
        false,
      );
      expect(await open().get(first.path)).toBeUndefined();
    });

    it('are listed by path, after a path', async () => {
      const own = aRepository();
      const paths = [[own], [own, 'a'], [own, 'a', 'z'], [own, 'b'], [`${own}b`]].map(parseRepository);
      for (const path of paths.toReversed()) await open().put(aKnown({ path }), undefined, anAccessChange());
      const listed = async (after?: KnownRepository['path']) =>
        (await collect(open().all(after))).map(({ path }) => path).filter((path) => path.startsWith(own));
      expect(await listed()).toEqual(paths);
      expect(await listed(paths[1])).toEqual(paths.slice(2));
    });
  });
}
