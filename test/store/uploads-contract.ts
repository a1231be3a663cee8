import { describe, expect, it } from 'vitest';
import type { UploadRecord, UploadStore } from '../../shared/store/upload-store.ts';
import { aRepository, now, somebody } from './records.ts';

const upload: UploadRecord = {
  id: 'demo-1.0.0+b',
  created: '2026-01-02T03:04:05.678Z',
  by: somebody,
  force: true,
  mayReplace: false,
  copied: false,
  delivery: 'c4ec5fdccd66ce39711f405a610ac875',
  outcome: { state: 'rejected', code: 'invalid_package', message: 'no „chart“' },
};

/** What every upload store promises. */
export function uploadsContract(open: () => UploadStore): void {
  describe('uploads', () => {
    it('are undefined where there is none', async () => {
      expect(await open().get(aRepository(), 'nothing')).toBeUndefined();
    });

    it('come back as they were put last, each in its repository', async () => {
      const [repository, other] = [aRepository(), aRepository()];
      await open().put(repository, { ...upload, outcome: { state: 'waiting' } }, now);
      await open().put(repository, upload, now);
      expect(await open().get(repository, upload.id)).toEqual(upload);
      expect(await open().get(other, upload.id)).toBeUndefined();
    });

    it('are claimed by the first, each delivery', async () => {
      const repository = aRepository();
      const claim = (delivery: string, key: string) => open().claim(repository, delivery, key, now);
      expect(await claim('one', 'a')).toBe('a');
      expect(await claim('one', 'b')).toBe('a');
      expect(await claim('two', 'b')).toBe('b');
      expect(await claim('one', 'c')).toBe('a');
      expect(await open().get(repository, 'one')).toBeUndefined();
    });

    it('have one winner of many who claim at once', async () => {
      const repository = aRepository();
      const keys = Array.from({ length: 10 }, (_, n) => `key${n}`);
      const claims = keys.map((key) => open().claim(repository, 'one', key, now));
      expect(new Set(await Promise.all(claims)).size).toBe(1);
    });
  });
}
