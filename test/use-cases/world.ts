import type { Clock } from '../../shared/clock.ts';
import { parseChartName } from '../../shared/domain/chart-name.ts';
import { type PartSizes, partSizes } from '../../shared/domain/compose-index.ts';
import { digestOf } from '../../shared/domain/digest.ts';
import type { IndexSettings, LiveVersion } from '../../shared/domain/entry.ts';
import { renderFragment, renderIndex } from '../../shared/domain/index-file.ts';
import { packageKey, type VersionId } from '../../shared/domain/object-keys.ts';
import { parseRepository, type Repository } from '../../shared/domain/repository.ts';
import type { RepositorySettings } from '../../shared/domain/settings.ts';
import { parseChartVersion } from '../../shared/domain/version.ts';
import type { Happening } from '../../shared/happening.ts';
import { type RepositoryRules, repositoryGate } from '../../shared/known-repositories.ts';
import type { Notice } from '../../shared/refresh.ts';
import { settingsReader } from '../../shared/repository-settings.ts';
import type { PendingPackage } from '../../shared/store/version-store.ts';
import type { Hook } from '../store/hook.ts';
import { memoryAccounts } from '../store/memory-accounts.ts';
import { memoryAudit } from '../store/memory-audit.ts';
import { memoryFailures } from '../store/memory-failures.ts';
import { memoryKnownRepositories } from '../store/memory-known-repositories.ts';
import { memoryLabels } from '../store/memory-labels.ts';
import { memoryObjects } from '../store/memory-objects.ts';
import { memoryPointers } from '../store/memory-pointers.ts';
import { memoryRepositories } from '../store/memory-repositories.ts';
import { memorySettings } from '../store/memory-settings.ts';
import { memoryUploads } from '../store/memory-uploads.ts';
import { memoryVersions } from '../store/memory-versions.ts';
import { aChange, removal } from '../store/records.ts';

/** A clock that moves only when somebody sleeps or the test says so. */
export type ManualClock = Clock & { advance(milliseconds: number): void };

function manualClock(): ManualClock {
  let now = Date.parse('2026-01-02T03:04:05.678Z');
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
  };
}

export const root = parseRepository([]);

export function versionId(name: string, version: string, repository: Repository = root): VersionId {
  return { repository, name: parseChartName(name), version: parseChartVersion(version) };
}

type WorldOptions = {
  readonly hook?: Hook;
  readonly settings?: Partial<IndexSettings>;
  /** @default those that suit S3 */
  readonly partSizes?: PartSizes;
  /** What the deployment says for all repositories. */
  readonly deployment?: Partial<RepositorySettings>;
  /** @default open */
  readonly rules?: RepositoryRules;
};

const openRules: RepositoryRules = { access: 'open', createOnPublish: false };

/** The use cases' dependencies over memory stores. */
export function aWorld({ hook, settings, deployment = {}, rules = openRules, ...sizes }: WorldOptions = {}) {
  const hooks = hook === undefined ? {} : { hook };
  const versions = memoryVersions(hooks);
  const clock = manualClock();
  const pointers = memoryPointers(hooks);
  const audit = memoryAudit(hooks);
  const repositorySettings = memorySettings({ ...hooks, audit });
  const uploads = memoryUploads(hooks);
  const notices: Notice[] = [];
  const happenings: Happening[] = [];
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `id${ids}`;
  };
  let labelIds = 0;
  const newLabelId = () => {
    labelIds += 1;
    return labelIds;
  };
  const knownRepositories = memoryKnownRepositories({ ...hooks, audit, settings: repositorySettings });
  const world = {
    versions,
    pointers,
    uploads,
    audit,
    accounts: memoryAccounts({ ...hooks, audit }),
    failures: memoryFailures(hooks),
    knownRepositories,
    labels: memoryLabels({ ...hooks, audit }),
    ...repositoryGate({ knownRepositories, clock, newId }, rules),
    repositorySettings,
    settingsOf: settingsReader(repositorySettings, deployment),
    settle: () => clock.sleep(200),
    maxPackageBytes: 20_971_520,
    objects: memoryObjects({ ...hooks, now: clock.now }),
    repositories: memoryRepositories({
      ...hooks,
      known: () =>
        new Set([
          ...versions.items().map(({ repository }) => repository),
          ...pointers.known(),
          ...repositorySettings.known(),
          ...uploads.known(),
        ]),
      forget: (repository) => {
        for (const store of [versions, repositorySettings, uploads]) store.forget(repository);
        pointers.lose(repository);
      },
    }),
    report: (notice: Notice) => void notices.push(notice),
    notices,
    observe: (happening: Happening) => void happenings.push(happening),
    happenings,
    clock,
    newId,
    newLabelId,
    settings: { format: 'json', chartUrl: '', contextPath: '', ...settings } satisfies IndexSettings,
    partSizes,
    ...sizes,
  };

  /** Reserves a version without committing it. */
  const reserve = async (id: VersionId, description = ''): Promise<PendingPackage> => {
    const entry = JSON.stringify({ name: id.name, version: id.version, description });
    const digest = digestOf(Buffer.from(entry));
    const pending = {
      digest,
      sizeBytes: entry.length,
      entry,
      key: packageKey(id, digest, newId()),
      created: new Date(clock.now()).toISOString(),
      expires: clock.now() + 60_000,
      change: aChange({ digest }),
    };
    await versions.reserve(id, pending, { overwrite: true, now: clock.now() });
    return pending;
  };

  /** Publishes a version without a package's bytes: enough for all that concerns the index. */
  const publish = async (name: string, version: string, description = '', repository = root) => {
    const id = versionId(name, version, repository);
    const pending = await reserve(id, description);
    await versions.commit(id, pending);
    return pending;
  };

  /** Deletes a version. */
  const remove = async (name: string, version: string) => {
    const id = versionId(name, version);
    const item = await versions.get(id);
    await versions.remove(id, item?.live?.key ?? '', removal());
  };

  /** What a full rebuild of the table's present state gives: the oracle. */
  const rebuilt = (repository: Repository, generated: string, newest = 0) => {
    const charts = new Map<string, LiveVersion[]>();
    for (const { name, version, live, ...item } of versions.items()) {
      if (live === undefined || item.repository !== repository) continue;
      charts.set(name, [...(charts.get(name) ?? []), { name, version, ...live }]);
    }
    const fragments = [...charts.values()].flatMap(
      (live) => (live[0] && renderFragment(live[0].name, live, world.settings, repository, { newest })) ?? [],
    );
    return Buffer.from(renderIndex(fragments, generated, world.settings).bytes).toString();
  };

  /** The text of the index that the pointer names. */
  const published = async (repository = root) => {
    const pointer = await world.pointers.get(repository);
    const bytes = pointer && world.objects.objects.get(`${pointer.folder}index.yaml`)?.bytes;
    return bytes && Buffer.from(bytes).toString();
  };

  const marks = () => versions.items().filter(({ unindexed }) => unindexed !== undefined);

  return { ...world, reserve, publish, remove, rebuilt, published, marks };
}

/** `name version` of everything an index lists, in its order. */
export function listed(index: string | undefined): string[] {
  const { entries } = JSON.parse(index ?? '{"entries":{}}');
  return Object.values<{ name: string; version: string }[]>(entries)
    .flat()
    .map(({ name, version }) => `${name} ${version}`);
}
