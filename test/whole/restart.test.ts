import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { aPackage } from '../packages.ts';
import { listed, sha256, startChartroom } from './chartroom.ts';

it('a Chartroom over a data directory has everything after a restart', async () => {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'chartroom-data-'));
  const bytes = await aPackage();
  const first = await startChartroom({ dataDir });
  expect((await first.publish(bytes, 'org')).status).toBe(201);
  await first.stop();
  const second = await startChartroom({ dataDir });
  expect(listed(await second.readIndex('org'))).toEqual(['demo 1.0.0']);
  expect(await second.digestAt('/org/charts/demo-1.0.0.tgz')).toBe(sha256(bytes));
  await second.stop();
  await rm(dataDir, { recursive: true });
});
