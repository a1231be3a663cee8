import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { inParallel } from '../shared/async-iteration.ts';
import { publishPackage } from '../shared/publish.ts';
import { refreshIndex } from '../shared/refresh.ts';
import { repair } from '../shared/repair.ts';
import { aPackage } from '../test/packages.ts';
import { createTable } from '../test/store/aws.ts';
import { somebody } from '../test/store/records.ts';
import { type Figure, hold, timed } from './figures.ts';
import { root } from './seed.ts';
import { clientsOf, startStack, storesOf } from './stack-process.ts';

/** Rebuilding a table that was lost, out of so many packages, and its peer: `helm repo index` of the same. */
export async function repairFigures(count: number, helm: string | undefined): Promise<readonly Figure[]> {
  // In a process of their own, as the stores of a deployment are: what is timed is what repairs.
  const stack = await startStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    // Its indexer knows nothing of the table that comes after, and would remove that one's indexes as leftovers.
    await stack.holdEvents(true);
    const before = stack.stores;
    await inParallel(
      Array.from({ length: count }, (_, n) => n),
      async (n) => {
        const [name, version] = [`chart-${Math.floor(n / 20)}`, `1.${n % 20}.0`];
        const bytes = await aPackage({ name, version });
        await writeFile(path.join(folder, `${name}-${version}.tgz`), bytes);
        await publishPackage(before, { repository: root, package: bytes, overwrite: false, by: somebody });
      },
    );
    await refreshIndex(before, root, { rebuildAtMost: count });
    await createTable(clientsOf(stack.where).dynamo, 'after');
    const after = storesOf({ ...stack.where, tableName: 'after' });
    const repairing = await timed(1, async () => {
      const { healthy } = await repair(after, { dryRun: false });
      hold('a lost table is whole again', healthy);
    });
    hold('every version is back', (await after.pointers.get(root))?.versions === count);
    const verifying = await timed(1, async () => {
      hold('it is found healthy', (await repair(after, { dryRun: true })).findings.length === 0);
    });
    const figures: Figure[] = [
      { name: 'repair of a lost table', unit: 'ms', runs: repairing },
      { name: 'verify', unit: 'ms', runs: verifying },
    ];
    if (helm === undefined) return figures;
    const peer = await timed(1, async () => {
      await promisify(execFile)(helm, ['repo', 'index', folder]);
    });
    return [...figures, { name: 'helm repo index of the same packages', unit: 'ms', runs: peer }];
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true });
  }
}
