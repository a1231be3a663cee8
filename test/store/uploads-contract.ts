import { describe, expect, it } from 'vitest';
import type { UploadRecord, UploadStore } from '../../shared/store/upload-store.ts';
import { aRepository, now } from './records.ts';

const upload: UploadRecord = {
  id: 'demo-1.0.0+b',
  created: '2026-01-02T03:04:05.678Z',
  force: true,
  mayReplace: false,
  copied: false,
  attempt: 'c4ec5fdccd66ce39711f405a610ac875',
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
  });
}
