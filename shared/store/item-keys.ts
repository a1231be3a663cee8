import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { canaryName, partitions, table } from '../contract.ts';
import { EVERYWHERE } from '../domain/access.ts';
import type { AccountName } from '../domain/account.ts';
import type { ChartName } from '../domain/chart-name.ts';
import type { Label } from '../domain/label.ts';
import type { VersionId } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';
import type { ChartVersion } from '../domain/version.ts';

/** An item as DynamoDB speaks of it. */
export type Item = Record<string, AttributeValue>;

/**
 * The keys of the table. A repository is one partition, since its index needs all of it:
 *
 *     pk = repository#<path>
 *     sk = chart#<name>#<version>   a version
 *     sk = pointer                  which index object is current
 *     sk = lease                    who refreshes the index
 *     sk = rebuild                  who builds it from all versions
 *     sk = upload#<id>              an upload through the bucket
 *     sk = claim#<delivery>         which attempt may publish an object of the inbox
 *     sk = settings                 what the repository says of itself
 *     sk = counts                   how much is in it, as reconciliation last counted
 *
 * pk = accounts, sk = account#<name>: somebody who may do something. One partition, so that they can be listed.
 *
 * pk = canary, sk = account#<name>: the canary's account, which it may write, as no other.
 *
 * pk = repositories, sk = repository#<path>: a repository that somebody made. One partition, for the same reason.
 *
 * pk = labels, sk = label#<id>: a label that versions can have; sk = name#<project>#<name>: the same once more, by its
 * name, the project `*` for those of everybody. So those of one project can be listed, and no others.
 *
 * pk = failures#<beginning of digest>, sk = failures#<digest>: how often somebody was wrong about an account. 256
 * partitions, so that who guesses much slows down few, and who goes over all partitions meets no more than these.
 *
 * pk = reconciliation, sk = progress: how far it got.
 *
 * pk = audit#repository#<path>, audit#account#<name> and audit#day#<yyyy-mm-dd>, sk = <instant>#<id>: a change, once
 * in each of its views.
 *
 * pk = deployment, sk = schema: by which schema the items are written.
 *
 * '#' is in no path, name or version, so keys cannot collide; and it sorts before every character of a
 * name, so a query yields charts in ascending order of name, the versions of each side by side.
 */
const { repository: partitionPrefix, accounts, knownRepositories, labels } = partitions;

/** What the sort key of every version of a repository begins with. */
export const anyVersion = 'chart#';

/** What the sort key of every version of a chart begins with. */
export const versionsOf = (name: ChartName) => `${anyVersion}${name}#`;

/** Comes after every sort key that begins so: '~' is after all that names, versions and our own words hold. */
export const endOf = (beginning: string) => `${beginning}~`;

/** The value that a query of one repository asks for. */
export const partitionOf = (repository: Repository): AttributeValue => ({
  S: `${partitionPrefix}${repository}`,
});

/** Reads back what {@link partitionOf} wrote; undefined for a partition that is no repository. */
export function readPartition(item: Item): Repository | undefined {
  const partition = textOf(item, table.partitionKey);
  if (!partition.startsWith(partitionPrefix)) return undefined;
  return partition.slice(partitionPrefix.length) as Repository;
}

/** The value that a query of the accounts asks for. */
export const accountPartition: AttributeValue = { S: accounts };

/** What the sort key of every account begins with. */
export const anyAccount = 'account#';

export const accountKey = (name: AccountName): Item => ({
  [table.partitionKey]: name === canaryName ? { S: partitions.canary } : accountPartition,
  [table.sortKey]: { S: `${anyAccount}${name}` },
});

/** The value that a query of the known repositories asks for. */
export const knownRepositoryPartition: AttributeValue = { S: knownRepositories };

/** What the sort key of every known repository begins with. */
export const anyKnownRepository = 'repository#';

export const knownRepositoryKey = (path: Repository): Item => ({
  [table.partitionKey]: knownRepositoryPartition,
  [table.sortKey]: { S: `${anyKnownRepository}${path}` },
});

/** The value that a query of the labels asks for. */
export const labelPartition: AttributeValue = { S: labels };

export const labelKey = (id: number): Item => ({
  [table.partitionKey]: labelPartition,
  [table.sortKey]: { S: `label#${id}` },
});

/** The key of a label by its name. */
export const labelNameKey = ({ project, name }: Pick<Label, 'project' | 'name'>): Item => ({
  [table.partitionKey]: labelPartition,
  [table.sortKey]: { S: `${ofProject(project)}#${name}` },
});

/** Between which sort keys the names of a project's labels are, or of everybody's. */
export const labelNamesIn = (project: Repository | undefined) => ({
  from: `${ofProject(project)}#`,
  // The character after '#', not '~': a name may have what comes after that.
  to: `${ofProject(project)}$`,
});

const ofProject = (project: Repository | undefined) => `name#${project ?? EVERYWHERE}`;

/** The key of an item of which a repository has one. */
export function itemKey(
  repository: Repository,
  sortKey: 'pointer' | 'lease' | 'rebuild' | 'counts' | 'settings',
): Item {
  return { [table.partitionKey]: partitionOf(repository), [table.sortKey]: { S: sortKey } };
}

export function versionKey({ repository, name, version }: VersionId): Item {
  return {
    [table.partitionKey]: partitionOf(repository),
    [table.sortKey]: { S: `${versionsOf(name)}${version}` },
  };
}

/** Reads back what {@link versionKey} wrote. */
export function readVersionKey(item: Item): VersionId {
  const repository = readPartition(item) ?? '';
  const [name = '', version = ''] = textOf(item, table.sortKey).slice(anyVersion.length).split('#');
  return {
    repository: repository as Repository,
    name: name as ChartName,
    version: version as ChartVersion,
  };
}

/** @throws Error if the attribute is missing, which means that something else wrote the item */
export function textOf(item: Item, attribute: string): string {
  const text = item[attribute]?.S;
  if (text === undefined) throw new Error(`item ${keysOf(item)} has no text attribute "${attribute}"`);
  return text;
}

/** @throws Error if the attribute is missing, which means that something else wrote the item */
export function numberOf(item: Item, attribute: string): number {
  const number = item[attribute]?.N;
  if (number === undefined) throw new Error(`item ${keysOf(item)} has no number attribute "${attribute}"`);
  return Number(number);
}

function keysOf(item: Item): string {
  return `"${item[table.partitionKey]?.S ?? '?'}", "${item[table.sortKey]?.S ?? '?'}"`;
}
