import type { VersionChange } from '../../shared/domain/audit.ts';
import type { VersionId } from '../../shared/domain/object-keys.ts';
import type { Repository } from '../../shared/domain/repository.ts';
import type {
  PackageRecord,
  PendingPackage,
  VersionItem,
  VersionStore,
} from '../../shared/store/version-store.ts';
import { type Hook, hooked } from './hook.ts';

type Options = {
  readonly hook?: Hook;
  /** @default counts, so that runs are alike */
  readonly newToken?: () => string;
  /** Items in a page of an iterable. @default 100 */
  readonly pageItems?: number;
};

/** The versions in memory, and ways to look at them and to lose them that are no calls. */
export type MemoryVersions = VersionStore & {
  items(): readonly VersionItem[];
  lose(id: VersionId): void;
  loseAll(): void;
  forget(repository: Repository): void;
};

const keyOf = ({ name, version }: VersionId) => `${name}#${version}`;

// By code units, which for our alphabets is the order of DynamoDB.
const inOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function counter(): () => string {
  let count = 0;
  return () => String(++count).padStart(8, '0');
}

/** A version store whose every call changes its state at once, or not at all. */
export function memoryVersions(options: Options = {}): MemoryVersions {
  const { newToken = counter(), pageItems = 100 } = options;
  const call = hooked('versions', options.hook);
  const repositories = new Map<Repository, Map<string, VersionItem>>();

  const itemsOf = (repository: Repository) => repositories.get(repository) ?? new Map<string, VersionItem>();
  const find = (id: VersionId) => itemsOf(id.repository).get(keyOf(id));

  function save(item: VersionItem): true {
    const items = itemsOf(item.repository);
    repositories.set(item.repository, items.set(keyOf(item), item));
    return true;
  }

  const found = (id: VersionId): VersionItem => find(id) ?? { ...identity(id), removed: false };
  const mark = (id: VersionId) => `${keyOf(id)}#${newToken()}`;

  /** Like a paged query: what changes behind the reader's place is not seen, what changes before it is. */
  async function* paged(operation: string, repository: Repository, orderOf: (item: VersionItem) => string) {
    let after = '';
    for (;;) {
      const page = await call(operation, () =>
        [...itemsOf(repository).values()]
          .filter((item) => orderOf(item) > after)
          .sort((a, b) => inOrder(orderOf(a), orderOf(b)))
          .slice(0, pageItems),
      );
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < pageItems) return;
      after = orderOf(last);
    }
  }

  return {
    lose: (id) => void itemsOf(id.repository).delete(keyOf(id)),
    forget: (repository) => void repositories.delete(repository),
    loseAll: () => repositories.clear(),
    items: () => [...repositories.values()].flatMap((items) => [...items.values()]),

    get: (id) => call('get', () => find(id)),

    async *ofChart(repository, name) {
      const order = (item: VersionItem) => (item.name === name ? keyOf(item) : '');
      yield* paged('ofChart', repository, order);
    },

    ofRepository: (repository, after) =>
      paged('ofRepository', repository, (item) =>
        after === undefined || item.name > after ? keyOf(item) : '',
      ),

    reserve: (id, pending, { overwrite, now }) =>
      call('reserve', () => {
        const item = found(id);
        if (item.live !== undefined && !overwrite) return false;
        const other = item.pending !== undefined && item.pending.key !== pending.key;
        if (other && item.pending.expires > now) return false;
        return save({ ...item, pending });
      }),

    commit: (id, { key }) =>
      call('commit', () => {
        const item = found(id);
        if (item.pending?.key !== key) return false;
        const { pending, ...rest } = item;
        const provenance = pending.provenance && { provenance: pending.provenance };
        return save({
          ...rest,
          live: packageOf(pending),
          ...provenance,
          changes: appended(item, { ...pending.change, ...replacing(item) }),
          unindexed: mark(id),
          removed: false,
        });
      }),

    abandon: (id, key) =>
      call('abandon', () => {
        const item = found(id);
        if (item.pending?.key !== key) return false;
        const { pending: _pending, ...rest } = item;
        if (item.live || item.provenance || item.unindexed) return save(rest);
        return itemsOf(item.repository).delete(keyOf(item));
      }),

    restore: (id, live, { provenance, instead, change }) =>
      call('restore', () => {
        const item = found(id);
        const nothingHappened = !item.live && !item.pending && !item.removed;
        const wasSetBack = item.live?.key === instead && item.unindexed === undefined;
        if (instead === undefined ? !nothingHappened : !wasSetBack) return false;
        const changes = appended(item, { ...change, ...wasOf(item.live) });
        return save({ ...item, live, ...(provenance && { provenance }), changes, unindexed: mark(id) });
      }),

    addProvenance: (id, provenance, { overwrite, change }) =>
      call('addProvenance', () => {
        const item = found(id);
        if (item.live !== undefined && item.live.digest !== provenance.package) return false;
        const there = item.provenance?.package === provenance.package;
        if (there && item.provenance.key !== provenance.key && !overwrite) return false;
        const changes = appended(item, { ...change, ...wasOf(item.provenance) });
        return save({ ...item, provenance, changes, unindexed: mark(id) });
      }),

    remove: (id, key, { now, change }) =>
      call('remove', () => {
        const item = found(id);
        if (item.live?.key !== key) return false;
        const { live: _live, provenance: _provenance, labels: _labels, pending, ...rest } = item;
        const goesOn = pending && pending.expires > now ? { pending } : {};
        const changes = appended(item, { ...change, ...wasOf(item.live) });
        return save({ ...rest, ...goesOn, changes, unindexed: mark(id), removed: true });
      }),

    addLabel: (id, label, { most }) =>
      call('addLabel', () => {
        const item = found(id);
        const { live, labels = [] } = item;
        if (live === undefined || labels.includes(label) || labels.length >= most) return false;
        return save({ ...item, labels: [...labels, label].toSorted((a, b) => a - b) });
      }),

    removeLabel: (id, label) =>
      call('removeLabel', () => {
        const { labels = [], ...rest } = found(id);
        if (!labels.includes(label)) return false;
        const left = labels.filter((each) => each !== label);
        return save({ ...rest, ...(left.length > 0 && { labels: left }) });
      }),

    async *marks(repository) {
      for await (const item of paged('marks', repository, ({ unindexed = '' }) => unindexed)) {
        if (item.unindexed !== undefined) yield { ...identity(item), token: item.unindexed };
      }
    },

    indexed: (clear) =>
      call('indexed', () => {
        const item = find(clear);
        if (item === undefined || item.unindexed !== clear.token) return;
        const { unindexed: _unindexed, changes: _changes, ...rest } = item;
        if (item.removed && !item.pending && !item.provenance) itemsOf(item.repository).delete(keyOf(item));
        else save({ ...rest, removed: false });
      }),
  };
}

const wasOf = (record: { readonly digest: string } | undefined) => (record ? { was: record.digest } : {});

const replacing = ({ live }: VersionItem): Partial<VersionChange> =>
  live === undefined ? {} : { action: 'overwrote', ...wasOf(live) };

const appended = ({ changes = [] }: VersionItem, change: VersionChange) => [...changes, change];

function identity({ repository, name, version }: VersionId): VersionId {
  return { repository, name, version };
}

function packageOf({ digest, sizeBytes, entry, key, created }: PendingPackage): PackageRecord {
  return { digest, sizeBytes, entry, key, created };
}
