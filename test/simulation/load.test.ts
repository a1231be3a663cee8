import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { blockIn } from '../../bench/cost-tables.ts';
import { simulate } from '../../bench/load.ts';
import { movedTable } from '../../bench/load-tables.ts';

it('docs/scaling.md says what a refresh of several charts moves', async () => {
  const document = await readFile(path.join(import.meta.dirname, '../../docs/scaling.md'), 'utf8');
  const why = 'npm run bench -- --scaling --write puts the table there';
  expect(blockIn(document, 'moved'), why).toBe(await movedTable());
});

// Large indexes take seconds: CI looks at them too.
const isAsked = process.env['CHECKS'] === 'all';

describe('publishers, readers and the indexer at one repository', () => {
  it.each([
    { versions: 1_000, readsPerSecond: 0 },
    { versions: 1_000, readsPerSecond: 10 },
    ...(isAsked ? [{ versions: 100_000, readsPerSecond: 10 }] : []),
  ])(
    'many publishes share a refresh at $versions versions and $readsPerSecond reads a second',
    async (load) => {
      const { publishes, refreshes, refused, visible } = await simulate(
        { ...load, publishesPerSecond: 20 },
        30,
      );
      expect(publishes).toBeGreaterThan(300);
      // Who reads refreshes, and nobody reads: the indexer, once a second.
      expect(refreshes.indexer + refreshes.reader).toBeLessThan(publishes / 2);
      if (load.readsPerSecond === 0) {
        expect(refreshes.reader).toBe(0);
        expect(refreshes.indexer).toBeLessThanOrEqual(31);
      }
      expect(refused).toBe(0);
      // But those of the last seconds, and a few that were replaced before an index listed them.
      expect(visible.length).toBeGreaterThan(publishes * 0.7);
    },
  );

  it.each([
    { versions: 1_000, readsPerSecond: 10 },
    { versions: 10_000, readsPerSecond: 10 },
    ...(isAsked ? [{ versions: 10_000, readsPerSecond: 100 }] : []),
  ])(
    '100 of 50 publishes a second make 10 refreshes at most, at $versions versions and $readsPerSecond reads a second',
    async (load) => {
      const { publishes, refreshes } = await simulate({ ...load, publishesPerSecond: 50 }, 30);
      expect(publishes).toBeGreaterThan(1_000);
      expect(refreshes.indexer + refreshes.reader).toBeLessThanOrEqual(publishes / 10);
    },
  );

  it('whoever reads what nobody changes refreshes nothing', async () => {
    const { refreshes, waits } = await simulate(
      { versions: 10_000, publishesPerSecond: 0, readsPerSecond: 50 },
      10,
    );
    expect(refreshes).toEqual({ reader: 0, indexer: 0 });
    expect(waits.length).toBeGreaterThan(300);
  });

  it('gives the same figures for the same seed', async () => {
    const load = { versions: 1_000, publishesPerSecond: 5, readsPerSecond: 5 };
    expect(await simulate(load, 10, 7)).toEqual(await simulate(load, 10, 7));
  });
});
