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
  });
}
