import { describe, expect, it } from 'vitest';
import { refreshIndex } from '../../shared/refresh.ts';
import { aWorld, root } from '../use-cases/world.ts';
import type { S3 } from './s3-contract.ts';

const anyNumber = { rebuildAtMost: Number.POSITIVE_INFINITY };
const GENERATED = '2026-01-02T03:04:05Z';
const MIB = 1024 * 1024;

/** Indexes so large that S3 puts them together. */
export function s3Indexes(open: () => S3): void {
  describe('a large index', () => {
    it('is built in parts and then composed of the one before, byte for byte what a rebuild gives', async () => {
      const world = { ...aWorld(), objects: open().objects };
      const published = async () => {
        const { folder = '' } = (await world.pointers.get(root)) ?? {};
        return Buffer.from((await world.objects.get(`${folder}index.yaml`)) ?? []);
      };
      const isRebuilt = async () => (await published()).equals(Buffer.from(world.rebuilt(root, GENERATED)));

      for (let n = 10; n < 50; n += 1) await world.publish(`chart-${n}`, '1.0.0', `${n}`.repeat(MIB / 4));
      await refreshIndex(world, root, anyNumber);
      expect(await isRebuilt()).toBe(true);

      await world.publish('chart-15', '1.1.0');
      await world.publish('chart-19', '1.1.0');
      await world.remove('chart-40', '1.0.0');
      await world.publish('chart-60', '1.0.0');
      expect(await refreshIndex(world, root, { rebuildAtMost: 0 })).toMatchObject({ kind: 'refreshed' });
      expect((await published()).length).toBeGreaterThan(19 * MIB);
      expect(await isRebuilt()).toBe(true);
    });
  });
}
