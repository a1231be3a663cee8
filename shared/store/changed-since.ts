import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { AuditedChange, VersionChange } from '../domain/audit.ts';
import type { KnownRepository } from '../domain/known-repository.ts';
import type { VersionId } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';
import { auditTable } from './audit-table.ts';
import { anyKnownRepository, endOf, knownRepositoryPartition, textOf } from './item-keys.ts';
import { itemsBetween } from './items-between.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
// A change is told of when it was begun, and may have been under way at the instant.
const REQUEST_MS = 60 * 1000;

/** What a version last was, by the digests of what came; undefined for what nobody changed. */
type LastKnown = { readonly package?: string | undefined; readonly provenance?: string | undefined };

/** What happened by requests since an instant. All but secrets and digests by the names that are told. */
export type ChangedSince = {
  readonly deleted: ReadonlySet<string>;
  /** Accounts, settings and labels that are not what they were. */
  readonly changed: ReadonlySet<string>;
  readonly versions: ReadonlyMap<string, LastKnown>;
  /** Ids of secrets that were deleted. */
  readonly secrets: ReadonlySet<string>;
};

type Between = {
  readonly client: DynamoDBClient;
  /** The table as it was, and the one of now. */
  readonly from: string;
  readonly to: string;
  readonly at: Date;
  readonly now: Date;
};

/** How a repository is told of. */
export const shown = (repository: Repository): string => repository || '(root)';

/** How a version is told of. */
export const versionName = ({ repository, name, version }: VersionId): string =>
  `version ${shown(repository)} ${name} ${version}`;

/** Whether the audit still has all that happened since an instant. */
export const isAudited = (at: Date, now: Date, auditDays: number): boolean =>
  at.getTime() - REQUEST_MS >= now.getTime() - auditDays * DAY_MS;

/** What was deleted and changed on purpose since, as the audit has it. */
export async function changedSince(between: Between): Promise<ChangedSince> {
  const { client, from, to } = between;
  const then = new Set((await changesIn(from, between)).map(({ id }) => id));
  const deleted = new Set<string>();
  const changed = new Set<string>();
  const versions = new Map<string, LastKnown>();
  const secrets = new Set<string>();
  for (const change of await changesIn(to, between)) {
    if ('version' in change) {
      const name = versionName(change);
      if (change.action === 'deleted') deleted.add(name);
      else deleted.delete(name);
      versions.set(name, lastKnown(change, versions.get(name)));
      continue;
    }
    const { id, action, target, repository = '', detail } = change;
    if (action === 'account_deleted') deleted.add(`account ${target}`);
    else if (action === 'label_deleted') deleted.add(`label ${detail?.['label']}`);
    else if (action === 'repository_deleted') deleted.add(`repository ${repository}`);
    else if (action === 'repository_restored') deleted.delete(`repository ${repository}`);
    else if (action === 'secret_deleted') secrets.add(String(detail?.['secret']));
    // Such a change and what the audit says of it are one write: what was as it was then had it already.
    else if (then.has(id)) continue;
    else if (action === 'account_changed') changed.add(`account ${target}`);
    else if (action === 'settings_changed') changed.add(`settings ${shown(repository as Repository)}`);
    else if (action === 'label_changed') changed.add(`label ${detail?.['label']}`);
  }
  // Of these nothing comes back by this: they can be brought back as wholes, or are about to be removed.
  const known = {
    partition: knownRepositoryPartition,
    from: anyKnownRepository,
    to: endOf(anyKnownRepository),
  };
  for await (const item of itemsBetween(client, to, known)) {
    const { path, deleted: since } = JSON.parse(textOf(item, 'repository')) as KnownRepository;
    if (since !== undefined) deleted.add(`repository ${path}`);
  }
  return { deleted, changed, versions, secrets };
}

function lastKnown({ action, digest }: VersionChange, before: LastKnown | undefined): LastKnown {
  if (action === 'deleted') return {};
  if (digest === undefined) return before ?? {};
  return action === 'signed' ? { ...before, provenance: digest } : { ...before, package: digest };
}

/** The oldest first. */
async function changesIn(tableName: string, { client, at, now }: Between): Promise<AuditedChange[]> {
  const changes: AuditedChange[] = [];
  // Nothing is put by this, so how long it would be kept does not matter.
  const audit = auditTable(client, tableName, 0);
  const from = new Date(at.getTime() - REQUEST_MS);
  for (let day = dayOf(from); day <= dayOf(now); day = dayOf(new Date(Date.parse(day) + DAY_MS))) {
    for await (const change of audit.read({ day }, { from: from.toISOString() })) changes.push(change);
  }
  return changes.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

const dayOf = (instant: Date) => instant.toISOString().slice(0, 10);
