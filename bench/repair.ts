import { execFile, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { LocalStack } from '../local/stack.ts';
import { inParallel } from '../shared/async-iteration.ts';
import { systemClock } from '../shared/clock.ts';
import { publishPackage } from '../shared/publish.ts';
import { refreshIndex } from '../shared/refresh.ts';
import { repair } from '../shared/repair.ts';
import { auditTable } from '../shared/store/audit-table.ts';
import { bucket } from '../shared/store/bucket.ts';
import { knownRepositoriesTable } from '../shared/store/known-repositories-table.ts';
import { labelsTable } from '../shared/store/labels-table.ts';
import { pointersTable } from '../shared/store/pointers-table.ts';
import { repositoriesTable } from '../shared/store/repositories-table.ts';
import { versionsTable } from '../shared/store/versions-table.ts';
import { aPackage } from '../test/packages.ts';
import { createTable } from '../test/store/aws.ts';
import { somebody } from '../test/store/records.ts';
import { type Figure, hold, timed } from './figures.ts';
import { root, settingsOf } from './seed.ts';

/** Rebuilding a table that was lost, out of so many packages, and its peer: `helm repo index` of the same. */
export async function repairFigures(count: number, helm: string | undefined): Promise<readonly Figure[]> {
  // In a process of their own, as the stores of a deployment are: what is timed is what repairs.
  const stores = fork(path.join(import.meta.dirname, 'stores.ts'), { execArgv: ['--import', 'tsx'] });
  const ended = once(stores, 'exit');
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  try {
    const [stack]: Pick<LocalStack, 'clientConfig' | 'tableName' | 'bucketName'>[] = await once(
      stores,
      'message',
    );
    if (stack === undefined) throw new Error('the stores did not start');
    const { region, credentials, endpoints } = stack.clientConfig;
    const dynamo = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
    const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
    const storesOver = (tableName: string) => ({
      versions: versionsTable(dynamo, tableName),
      pointers: pointersTable(dynamo, tableName),
      audit: auditTable(dynamo, tableName, 400),
      repositories: repositoriesTable(dynamo, tableName),
      knownRepositories: knownRepositoriesTable(dynamo, tableName, 400),
      labels: labelsTable(dynamo, tableName, 400),
      objects: bucket(s3, stack.bucketName),
      settings: { format: 'json', chartUrl: '', contextPath: '' } as const,
      settingsOf,
      clock: systemClock,
      newId: randomUUID,
      report: () => {},
    });
    const before = storesOver(stack.tableName);
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
    await createTable(dynamo, 'after');
    const after = storesOver('after');
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
    if (stores.connected) stores.disconnect();
    await ended;
    await rm(folder, { recursive: true });
  }
}
