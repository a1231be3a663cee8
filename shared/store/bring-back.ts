import { randomUUID } from 'node:crypto';
import { type DynamoDBClient, GetItemCommand, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { eachInParallel } from '../async-iteration.ts';
import { partitions, table } from '../contract.ts';
import { type AuditedChange, upkeep } from '../domain/audit.ts';
import type { KnownRepository } from '../domain/known-repository.ts';
import type { Label } from '../domain/label.ts';
import { filesKey } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';
import { auditTable } from './audit-table.ts';
import { applied, namesIn } from './conditional.ts';
import type { DeletedObjects } from './deleted-objects.ts';
import {
  anyAccount,
  anyKnownRepository,
  anyVersion,
  endOf,
  type Item,
  knownRepositoryPartition,
  labelNameKey,
  partitionOf,
  readPartition,
  readVersionKey,
  textOf,
} from './item-keys.ts';
import { itemsBetween } from './items-between.ts';
import { changeAttribute, readVersionItem } from './version-attributes.ts';

// Far from what a partition takes, and enough to hide the latency of single reads and writes.
const AT_ONCE = 16;
const DAY_MS = 24 * 60 * 60 * 1000;
// A change is told of when it was begun, and may have been under way at the instant.
const REQUEST_MS = 60 * 1000;

/** What became of an item, or would. */
type Outcome =
  | 'brought back'
  /** The table has it, as it was or changed since. */
  | 'there'
  /** Somebody deleted it by a request since. */
  | 'deleted since'
  /** The bytes of its package are gone, so nobody could download it. */
  | 'package gone';

export type BringingBack = {
  readonly client: DynamoDBClient;
  /** The table as it was, and the one that has lost something since. */
  readonly from: string;
  readonly to: string;
  readonly objects: DeletedObjects;
  /** When the one became as it was, and when the other is looked at. */
  readonly at: Date;
  readonly now: Date;
  /** This repository alone, and nothing that is of all. @default everything */
  readonly repository?: Repository | undefined;
  /** Versions too that somebody deleted by a request since. */
  readonly deleted: boolean;
  /** Only tell. */
  readonly dryRun: boolean;
  /** Told of each item but those of the audit. */
  readonly tell: (what: string, outcome: Outcome) => void;
};

/**
 * Brings back what a table has lost since an instant: versions, accounts, repositories, labels, settings and the audit.
 * What the table has is never changed; so this may break off and run again, and others may publish meanwhile. What was
 * under way then, or is made of the rest (pointers, leases, reservations, uploads, counts), is left where it is.
 *
 * A version comes with its package, which the bucket may have in its history, and with a new mark: the index follows.
 */
export async function bringBack(options: BringingBack): Promise<void> {
  const { client, from, now, repository, tell } = options;
  const since = await deletedSince(options);
  const items =
    repository === undefined
      ? scan(client, from)
      : itemsBetween(client, from, { partition: partitionOf(repository), from: '!', to: endOf('') });
  const work = async (item: Item) => {
    const found = nameOf(item);
    if (found === undefined || isForgotten(item, now)) return;
    const { kind, name } = found;
    const outcome = since.has(name) && !(kind === 'version' && options.deleted) ? 'deleted since' : undefined;
    const told = outcome ?? (await bringOne(item, kind, options, since));
    if (kind !== 'audit') tell(name, told);
  };
  await eachInParallel(items, work, AT_ONCE);
}

type Kind = 'version' | 'settings' | 'account' | 'repository' | 'label' | 'audit';

const shown = (repository: Repository) => repository || '(root)';
const versionName = (repository: Repository, name: string, version: string) =>
  `version ${shown(repository)} ${name} ${version}`;

/** @returns undefined for what does not come back */
function nameOf(item: Item): { readonly kind: Kind; readonly name: string } | undefined {
  const [partition, key] = [textOf(item, table.partitionKey), textOf(item, table.sortKey)];
  const repository = readPartition(item);
  if (repository !== undefined) {
    if (key === 'settings') return { kind: 'settings', name: `settings ${shown(repository)}` };
    // Without a package and without a provenance file it is a reservation, or was deleted.
    if (!key.startsWith(anyVersion) || (!item['live'] && !item['provenance'])) return undefined;
    const { name, version } = readVersionKey(item);
    return { kind: 'version', name: versionName(repository, name, version) };
  }
  if (partition.startsWith(partitions.audit)) return { kind: 'audit', name: key };
  if (partition === partitions.accounts) {
    return { kind: 'account', name: `account ${key.slice(anyAccount.length)}` };
  }
  if (partition === partitions.knownRepositories) {
    return { kind: 'repository', name: `repository ${key.slice(anyKnownRepository.length)}` };
  }
  // Its other item, by the name, comes with it.
  if (partition === partitions.labels && key.startsWith('label#')) {
    return { kind: 'label', name: `label ${key.slice('label#'.length)}` };
  }
  return undefined;
}

const isForgotten = (item: Item, now: Date) => {
  const forgetAt = item[table.forgetAttribute]?.N;
  return forgetAt !== undefined && Number(forgetAt) * 1000 <= now.getTime();
};

/** What was deleted on purpose since, by the names that are told of it. */
async function deletedSince({ client, to, at, now }: BringingBack): Promise<ReadonlySet<string>> {
  const changes: AuditedChange[] = [];
  // Nothing is put by this, so how long it would be kept does not matter.
  const audit = auditTable(client, to, 0);
  const from = new Date(at.getTime() - REQUEST_MS);
  for (let day = dayOf(from); day <= dayOf(now); day = dayOf(new Date(Date.parse(day) + DAY_MS))) {
    for await (const change of audit.read({ day }, { from: from.toISOString() })) changes.push(change);
  }
  const names = new Set<string>();
  for (const change of changes.toSorted((a, b) => (a.at < b.at ? -1 : 1))) {
    if ('version' in change) {
      const name = versionName(change.repository, change.name, change.version);
      if (change.action === 'deleted') names.add(name);
      else names.delete(name);
    } else if (change.action === 'account_deleted') names.add(`account ${change.target}`);
    else if (change.action === 'label_deleted') names.add(`label ${change.detail?.['label']}`);
    else if (change.action === 'repository_deleted') names.add(`repository ${change.repository}`);
    else if (change.action === 'repository_restored') names.delete(`repository ${change.repository}`);
  }
  // Of these nothing comes back by this: they can be brought back as wholes, or are about to be removed.
  const known = {
    partition: knownRepositoryPartition,
    from: anyKnownRepository,
    to: endOf(anyKnownRepository),
  };
  for await (const item of itemsBetween(client, to, known)) {
    const { path, deleted } = JSON.parse(textOf(item, 'repository')) as KnownRepository;
    if (deleted !== undefined) names.add(`repository ${path}`);
  }
  return names;
}

const dayOf = (instant: Date) => instant.toISOString().slice(0, 10);

async function bringOne(
  item: Item,
  kind: Kind,
  options: BringingBack,
  since: ReadonlySet<string>,
): Promise<Outcome> {
  const { client, from, to, dryRun } = options;
  const repository = readPartition(item);
  if (repository !== undefined && since.has(`repository ${repository}`)) return 'deleted since';
  const there = await read(client, to, item);
  if (kind === 'label') {
    const isAnother = there !== undefined && textOf(there, 'revision') !== textOf(item, 'revision');
    const name = isAnother ? undefined : await read(client, from, labelNameKey(labelOf(item)));
    // Another label may have the name by now.
    if (name === undefined || !(dryRun || (await putName(client, to, name)))) return 'there';
  }
  if (there !== undefined) return 'there';
  if (kind === 'version' && !(await bringObjects(item, options))) return 'package gone';
  if (dryRun) return 'brought back';
  const isBack = await putNew(client, to, kind === 'version' ? marked(item, options.now) : item);
  return isBack ? 'brought back' : 'there';
}

const labelOf = (item: Item) => JSON.parse(textOf(item, 'label')) as Label;

/** @returns false for a package of which nothing is left */
async function bringObjects(item: Item, { objects, dryRun }: BringingBack): Promise<boolean> {
  const { live, provenance } = readVersionItem(item);
  if (live !== undefined && (await objects.look(live.key)) === 'gone') return false;
  if (dryRun) return true;
  const keys = [
    ...(provenance === undefined ? [] : [provenance.key]),
    ...(live === undefined ? [] : [filesKey(live.key), live.key]),
  ];
  for (const key of keys) await objects.bringBack(key);
  return true;
}

/** A version as it was, but that nobody is publishing it, the index has not followed, and the audit is to be told. */
function marked({ pending: _, ...item }: Item, now: Date): Item {
  const { name, version, live } = readVersionItem(item);
  const changes = item['changes']?.L ?? [];
  const change = { id: randomUUID(), at: now.toISOString(), by: upkeep, action: 'restored' } as const;
  const told = changeAttribute(live === undefined ? change : { ...change, digest: live.digest });
  return {
    ...item,
    changes: { L: [...changes, ...(told.L ?? [])] },
    replaced: {
      L: [...(item['replaced']?.L ?? changes.map(() => ({ NULL: true as const }))), { NULL: true }],
    },
    [table.unindexedAttribute]: { S: `${name}#${version}#${randomUUID()}` },
  };
}

const isNew = `attribute_not_exists(#${table.partitionKey})`;

function putNew(client: DynamoDBClient, tableName: string, item: Item): Promise<boolean> {
  const ExpressionAttributeNames = namesIn(isNew);
  const put = { TableName: tableName, Item: item, ConditionExpression: isNew, ExpressionAttributeNames };
  return applied(client.send(new PutItemCommand(put)));
}

/** Takes a label's name for it. @returns false where another label has it */
async function putName(client: DynamoDBClient, tableName: string, item: Item): Promise<boolean> {
  if (await putNew(client, tableName, item)) return true;
  const there = await read(client, tableName, item);
  return there?.['id']?.N === item['id']?.N;
}

async function read(client: DynamoDBClient, tableName: string, item: Item): Promise<Item | undefined> {
  const { [table.partitionKey]: partition, [table.sortKey]: key } = item;
  if (partition === undefined || key === undefined) throw new Error('an item without its keys');
  const Key = { [table.partitionKey]: partition, [table.sortKey]: key };
  const { Item: found } = await client.send(
    new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true }),
  );
  return found;
}

async function* scan(client: DynamoDBClient, tableName: string): AsyncGenerator<Item> {
  for await (const { Items: items = [] } of paginateScan({ client }, { TableName: tableName })) yield* items;
}
