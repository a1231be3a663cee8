import { BatchWriteItemCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { inParallel } from '../shared/async-iteration.ts';
import { upkeep } from '../shared/domain/audit.ts';
import { parseChartName } from '../shared/domain/chart-name.ts';
import { digestOf } from '../shared/domain/digest.ts';
import { packageKey, type VersionId } from '../shared/domain/object-keys.ts';
import { parseRepository } from '../shared/domain/repository.ts';
import { parseChartVersion } from '../shared/domain/version.ts';
import { settingsReader } from '../shared/repository-settings.ts';
import { versionKey } from '../shared/store/item-keys.ts';
import { liveAttribute } from '../shared/store/version-attributes.ts';
import type { PendingPackage, VersionStore } from '../shared/store/version-store.ts';

/** The settings of repositories that say nothing, in a deployment that says nothing. */
export const settingsOf = settingsReader({ get: async () => ({}) }, {});

export const root = parseRepository([]);

export const VERSIONS_OF_A_CHART = 20;

/** The name of the n-th chart of a seeded repository: in the order of the index. */
export const seededName = (n: number): string => `chart-${String(n).padStart(6, '0')}`;

/** The n-th version of a seeded repository: 20 versions a chart, an entry of about 700 bytes, always the same. */
export function seededVersion(
  n: number,
  versionsOfChart = VERSIONS_OF_A_CHART,
): { id: VersionId; pending: PendingPackage } {
  const name = parseChartName(seededName(Math.floor(n / versionsOfChart)));
  const version = parseChartVersion(`1.${n % versionsOfChart}.0`);
  const id = { repository: root, name, version };
  const entry = JSON.stringify({
    name,
    home: `https://example.com/${name}`,
    sources: [`https://example.com/sources/${name}`, 'https://example.com/upstream/application'],
    version,
    description: `The ${name} application with its database, packaged for Kubernetes by the platform team`,
    keywords: ['application', 'database', 'http', 'platform', name],
    maintainers: [{ name: 'platform', email: 'platform@example.com', url: 'https://example.com' }],
    icon: `https://example.com/icons/${name}.png`,
    apiVersion: 'v2',
    appVersion: `2.${n % versionsOfChart}.1`,
    annotations: { category: 'Infrastructure', licenses: 'Apache-2.0' },
    kubeVersion: '>=1.24.0-0',
    type: 'application',
  });
  const digest = digestOf(Buffer.from(entry));
  const created = new Date(1_700_000_000_000 + n * 1000).toISOString();
  const key = packageKey(id, digest, `seed-${n}`);
  const change = { id: `seed-${n}`, at: created, by: upkeep, action: 'published', digest } as const;
  return { id, pending: { digest, sizeBytes: 20_000, entry, key, created, expires: 0, change } };
}

// The most that a BatchWriteItem takes.
const BATCH = 25;

/**
 * Puts versions into the table as they are once they are published and indexed, without their packages: for an index,
 * that is enough. Straight to the table, since publishing so many takes minutes.
 */
export async function seed(dynamo: DynamoDBClient, tableName: string, count: number): Promise<void> {
  const batches = Array.from({ length: Math.ceil(count / BATCH) }, (_, batch) => batch * BATCH);
  await inParallel(batches, async (first) => {
    const numbers = Array.from({ length: Math.min(BATCH, count - first) }, (_, n) => first + n);
    const puts = numbers.map((n) => {
      const { id, pending } = seededVersion(n);
      return { PutRequest: { Item: { ...versionKey(id), live: liveAttribute(pending) } } };
    });
    await dynamo.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: puts } }));
  });
}

/** Makes versions live in a store in memory. */
export async function seedStore(versions: VersionStore, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const { id, pending } = seededVersion(n);
    await versions.reserve(id, pending, { overwrite: true, now: 1 });
    await versions.commit(id, pending);
  }
}
