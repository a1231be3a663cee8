import { randomUUID } from 'node:crypto';
import { type DynamoDBClient, GetItemCommand, PutItemCommand, paginateScan } from '@aws-sdk/client-dynamodb';
import { eachInParallel } from '../async-iteration.ts';
import { partitions, table } from '../contract.ts';
import type { Account } from '../domain/account.ts';
import { upkeep } from '../domain/audit.ts';
import type { Label } from '../domain/label.ts';
import { filesKey } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';
import type { Finding } from '../findings.ts';
import { type ChangedSince, changedSince, shown, versionName } from './changed-since.ts';
import { applied, namesIn } from './conditional.ts';
import type { DeletedObjects } from './deleted-objects.ts';
import {
  anyAccount,
  anyKnownRepository,
  anyVersion,
  endOf,
  type Item,
  knownRepositoryKey,
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

/** What became of an item, or would. */
type Outcome =
  | 'brought back'
  /** The table has it, as it was or changed since. */
  | 'there'
  /** Somebody deleted it by a request since. */
  | 'deleted since'
  /** Somebody changed it by a request since, and then it was lost: what it was then is older. */
  | 'changed since'
  /** The index lists a newer one whose package is there: the repair brings that back. */
  | 'left to the repair'
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
  /** What a repair finds, as a dry run of it tells. */
  readonly findings: readonly Finding[];
  /** Versions too that somebody deleted by a request since. */
  readonly deleted: boolean;
  /** Also what somebody changed by a request since, as it was then. */
  readonly changed: boolean;
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
  const { now, tell, findings } = options;
  const since = await changedSince(options);
  const lost = new Map(
    findings.flatMap((each) =>
      each.kind === 'version_lost' && each.package === 'there' ? [[versionName(each), each]] : [],
    ),
  );
  const work = async (item: Item) => {
    const found = nameOf(item);
    if (found === undefined || isForgotten(item, now)) return;
    const { kind, name } = found;
    const isDeleted = since.deleted.has(name) && !(kind === 'version' && options.deleted);
    const told = isDeleted
      ? 'deleted since'
      : await bringOne(item, found, { ...options, since, lost: lost.get(name) });
    if (kind !== 'audit') tell(name, told);
  };
  await eachInParallel(itemsOf(options), work, AT_ONCE);
}

async function* itemsOf({ client, from, repository }: BringingBack): AsyncGenerator<Item> {
  if (repository === undefined) return yield* scan(client, from);
  // That it is there at all is said by an item that is among those of all.
  const known = repository === '' ? undefined : await read(client, from, knownRepositoryKey(repository));
  if (known !== undefined) yield known;
  yield* itemsBetween(client, from, { partition: partitionOf(repository), from: '!', to: endOf('') });
}

type Kind = 'version' | 'settings' | 'account' | 'repository' | 'label' | 'audit';

type Found = { readonly kind: Kind; readonly name: string };

/** @returns undefined for what does not come back */
function nameOf(item: Item): Found | undefined {
  const [partition, key] = [textOf(item, table.partitionKey), textOf(item, table.sortKey)];
  const repository = readPartition(item);
  if (repository !== undefined) {
    if (key === 'settings') return { kind: 'settings', name: `settings ${shown(repository)}` };
    // Without a package and without a provenance file it is a reservation, or was deleted.
    if (!key.startsWith(anyVersion) || (!item['live'] && !item['provenance'])) return undefined;
    return { kind: 'version', name: versionName(readVersionKey(item)) };
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

type VersionLost = Extract<Finding, { kind: 'version_lost' }>;

type BringingOne = BringingBack & {
  readonly since: ChangedSince;
  /** What a repair would do about it. */
  readonly lost: VersionLost | undefined;
};

async function bringOne(item: Item, { kind, name }: Found, options: BringingOne): Promise<Outcome> {
  const { client, from, to, dryRun, since } = options;
  const repository = readPartition(item);
  if (repository !== undefined && since.deleted.has(`repository ${repository}`)) return 'deleted since';
  const there = await read(client, to, item);
  if (there === undefined && !options.changed && since.changed.has(name)) return 'changed since';
  if (kind === 'label') {
    const isAnother = there !== undefined && textOf(there, 'revision') !== textOf(item, 'revision');
    const byName = isAnother ? undefined : await read(client, from, labelNameKey(labelOf(item)));
    // Another label may have the name by now.
    if (byName === undefined || !(dryRun || (await putName(client, to, byName)))) return 'there';
  }
  if (there !== undefined) return 'there';
  if (kind === 'version') return await bringVersion(item, name, options);
  if (dryRun) return 'brought back';
  const wanted = kind === 'account' ? withoutSecrets(item, since.secrets) : item;
  return (await putNew(client, to, wanted)) ? 'brought back' : 'there';
}

async function bringVersion(item: Item, name: string, options: BringingOne): Promise<Outcome> {
  const { client, to, objects, lost, since, dryRun } = options;
  const { live, provenance } = readVersionItem(item);
  const last = since.versions.get(name);
  const isNewer =
    (lost !== undefined && !isOf(lost, live?.key, provenance?.key)) ||
    (last?.package !== undefined && last.package !== live?.digest) ||
    (last?.provenance !== undefined && last.provenance !== provenance?.digest);
  if (isNewer && lost !== undefined && lost.isDoubtful !== true) return 'left to the repair';
  if (isNewer && !options.changed) return 'changed since';
  if (live !== undefined && (await objects.look(live.key)) === 'gone') return 'package gone';
  if (dryRun) return 'brought back';
  const keys = [
    ...(provenance === undefined ? [] : [provenance.key]),
    ...(live === undefined ? [] : [filesKey(live.key), live.key]),
  ];
  for (const key of keys) await objects.bringBack(key);
  if (!(await putNew(client, to, marked(item, options.now)))) return 'there';
  // Before the item was there, the daily pass may have removed them once more, as nobody named them.
  for (const key of keys) await objects.bringBack(key);
  return 'brought back';
}

/** Whether an index lists a version by a package, and no provenance file came after. */
function isOf({ keys }: VersionLost, live: string | undefined, provenance: string | undefined): boolean {
  const newest = keys.filter((key) => key.endsWith('.prov')).at(-1);
  return keys.some((key) => key === live) && (newest === undefined || newest === provenance);
}

/** An account without the secrets that somebody deleted since. */
function withoutSecrets(item: Item, deleted: ReadonlySet<string>): Item {
  const account = JSON.parse(textOf(item, 'account')) as Account;
  if (account.kind === 'user') return item;
  const secrets = account.secrets.filter(({ id }) => !deleted.has(id));
  return { ...item, account: { S: JSON.stringify({ ...account, secrets }) } };
}

const labelOf = (item: Item) => JSON.parse(textOf(item, 'label')) as Label;

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
