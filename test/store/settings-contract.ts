import { describe, expect, it } from 'vitest';
import type { SettingsStore } from '../../shared/store/settings-store.ts';
import { anAccessChange, aRepository } from './records.ts';

/** What every settings store promises. */
export function settingsContract(open: () => SettingsStore): void {
  describe('settings', () => {
    it('are nothing where nothing was said', async () => {
      expect(await open().get(aRepository())).toEqual({});
    });

    it('come back as they were put last', async () => {
      const [repository, other] = [aRepository(), aRepository()];
      await open().put(
        repository,
        { maxVersions: 3, keyRing: '-----BEGIN…\n', requireSigned: true },
        anAccessChange(),
      );
      await open().put(repository, { allowForce: false }, anAccessChange());
      expect(await open().get(repository)).toEqual({ allowForce: false });
      expect(await open().get(other)).toEqual({});
    });

    it('are replaced by who saw what is said, and by nobody else', async () => {
      const repository = aRepository();
      const [first, second] = [{ keyRing: 'é "quoted"', maxVersions: 3 }, { allowForce: false }];
      const replace = async (seen: object, said: object) =>
        await open().replace(repository, seen, said, anAccessChange());
      expect(await replace(first, second)).toBe(false);
      expect(await open().get(repository)).toEqual({});
      expect(await replace({}, first)).toBe(true);
      expect(await replace({}, second)).toBe(false);
      expect(await open().get(repository)).toEqual(first);
      expect(await replace(first, {})).toBe(true);
      expect(await replace({}, second)).toBe(true);
      expect(await open().get(repository)).toEqual(second);
    });
  });
}
