import type { Caller } from './access.ts';
import { type AccountName, withPlus } from './account.ts';
import { Fault } from './fault.ts';
import type { VersionId } from './object-keys.ts';
import { parseRepository, type Repository } from './repository.ts';

/** Who changed something, from where. */
export type By = {
  /** The account's name; `anyone`, `bucket` and `chartroom` are no accounts, and cannot be called so. */
  readonly account: string;
  /** `bucket`: whoever put an object there by hand. `chartroom`: no request, but its own upkeep. */
  readonly kind: Caller['kind'] | 'bucket' | 'chartroom';
  readonly address?: string;
  readonly requestId?: string;
};

/** Whoever may write to the bucket: Chartroom does not know them. */
export const bucketWriter: By = { account: 'bucket', kind: 'bucket' };

/** What is done by a rule or a repair. */
export const upkeep: By = { account: 'chartroom', kind: 'chartroom' };

type AnyChange = {
  /** Another one for each change: what is written twice is one change. */
  readonly id: string;
  /** When it was begun; RFC 3339 in UTC with milliseconds. */
  readonly at: string;
  readonly by: By;
};

/** A change of a version, as its item keeps it until the audit has it. */
export type VersionChange = AnyChange & {
  readonly action: 'published' | 'overwrote' | 'signed' | 'deleted' | 'restored';
  /** Of the package, or of the provenance file, that came. */
  readonly digest?: string;
  /** Of the one that went. */
  readonly was?: string;
  /** Why, where nobody asked for it. */
  readonly reason?: string;
};

/** A change of who may do what, or of where, or of the labels that there are. */
export type AccessChange = AnyChange & {
  readonly action:
    | 'account_created'
    | 'account_changed'
    | 'account_deleted'
    | 'secret_created'
    | 'secret_deleted'
    | 'settings_changed'
    | 'repository_created'
    | 'repository_deleted'
    | 'repository_restored'
    | 'repository_removed'
    | 'label_created'
    | 'label_changed'
    | 'label_deleted';
  /** The account that was changed. */
  readonly target?: AccountName;
  readonly repository?: Repository;
  /** What it is now; nothing that a password or secret could be found by. */
  readonly detail?: Readonly<Record<string, unknown>>;
};

/** What the audit keeps. */
export type AuditedChange = (VersionChange & VersionId) | AccessChange;

/** What the audit can be asked for. */
export type AuditView =
  | { readonly repository: Repository }
  | { readonly account: string }
  /** `yyyy-mm-dd` in UTC. */
  | { readonly day: string };

/** Every view in which a change is seen. */
export function viewsOf(change: AuditedChange): readonly AuditView[] {
  const { by, at, repository } = change;
  const target = 'target' in change ? change.target : undefined;
  const accounts = new Set([by.account, ...(target === undefined ? [] : [target])]);
  return [
    ...(repository === undefined ? [] : [{ repository }]),
    ...[...accounts].map((account) => ({ account })),
    { day: at.slice(0, 10) },
  ];
}

/** Which part of a view. */
export type AuditRange = {
  /** Instants, or their beginnings: the first one is in, the other out. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  /** Only what comes behind the change of this {@link cursorOf}. */
  readonly after?: string | undefined;
};

/** Where a change stands in every view: by its instant, and by its id where several are of one. */
export const cursorOf = ({ at, id }: AuditedChange): string => `${at}#${id}`;

export type AuditQuery = { readonly view: AuditView; readonly range: AuditRange; readonly limit: number };

const MOST = 100;

const PARAMETERS = ['repository', 'account', 'day', 'from', 'until', 'limit', 'after'];

/** As much of an instant as anybody likes to write. */
const INSTANT = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/;
const CURSOR = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z#[\x21-\x7e]{1,200}$/;

/**
 * Reads what the audit is asked for.
 *
 * @throws Fault `invalid_request`, or `invalid_repository`
 */
export function parseAuditQuery(query: URLSearchParams): AuditQuery {
  const unknown = [...query.keys()].find((key) => !PARAMETERS.includes(key));
  if (unknown !== undefined) {
    throw refused(`"${unknown.slice(0, 80)}" cannot be asked for: there is ${PARAMETERS.join(', ')}`);
  }
  const after = query.get('after') ?? undefined;
  if (after !== undefined && !CURSOR.test(after)) {
    throw refused('after is the "next" of the page before: send it as it was, percent-encoded');
  }
  const range = { from: instantOf(query, 'from'), until: instantOf(query, 'until'), after };
  return { view: parseView(query), range, limit: parseLimit(query.get('limit')) };
}

function parseView(query: URLSearchParams): AuditView {
  const [repository, account, day] = ['repository', 'account', 'day'].map((name) => query.get(name));
  const given = [repository, account, day].filter((each) => typeof each === 'string');
  if (given.length !== 1) {
    throw refused(
      'say of what, and of one alone: repository (empty for the root), account or day, such as day=2026-01-31',
    );
  }
  if (typeof repository === 'string') {
    return { repository: parseRepository(repository === '' ? [] : repository.split('/')) };
  }
  if (typeof account === 'string') {
    if (account !== '' && account.length <= 256) return { account: withPlus(account) };
    throw refused('account is a name of 1 to 256 characters, or "anyone", "bucket" or "chartroom"');
  }
  if (typeof day === 'string' && day.length === 10 && isInstant(day)) return { day };
  throw refused('day is one such as 2026-01-31, in UTC');
}

/** As it sorts before or with every instant that it is the beginning of. */
function instantOf(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!isInstant(text))
    throw refused(`${name} is an instant such as 2026-01-31 or 2026-01-31T12:00:00Z, in UTC`);
  return new Date(text).toISOString();
}

const isInstant = (text: string): boolean => {
  if (!INSTANT.test(text)) return false;
  const instant = new Date(text);
  // 30 February is no day, though JavaScript takes it for one.
  return !Number.isNaN(instant.getTime()) && instant.toISOString().startsWith(text.slice(0, 10));
};

function parseLimit(text: string | null): number {
  if (text === null) return MOST;
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= MOST) return Number(text);
  throw refused(`limit is a number from 1 to ${MOST}, not ${JSON.stringify(text.slice(0, 80))}`);
}

const refused = (message: string) => new Fault('invalid_request', message);
