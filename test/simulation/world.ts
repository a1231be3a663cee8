import type { IndexSettings } from '../../shared/domain/entry.ts';
import { renderIndex } from '../../shared/domain/index-file.ts';
import type { ObjectEvent } from '../../shared/handle-object-events.ts';
import { repositoryGate } from '../../shared/known-repositories.ts';
import { type Notice, refreshIndex } from '../../shared/refresh.ts';
import { settingsReader } from '../../shared/repository-settings.ts';
import { memoryAudit } from '../store/memory-audit.ts';
import { memoryKnownRepositories } from '../store/memory-known-repositories.ts';
import { memoryLabels } from '../store/memory-labels.ts';
import { memoryObjects } from '../store/memory-objects.ts';
import { memoryPointers } from '../store/memory-pointers.ts';
import { memoryRepositories } from '../store/memory-repositories.ts';
import { memorySettings } from '../store/memory-settings.ts';
import { memoryUploads } from '../store/memory-uploads.ts';
import { memoryVersions } from '../store/memory-versions.ts';
import type { Scheduler } from './scheduler.ts';

/** The stores of one history, whose every call the scheduler decides, and the events that they make. */
export type World = ReturnType<typeof simulatedWorld>;

export function simulatedWorld({ hook, clock }: Pick<Scheduler, 'hook' | 'clock'>) {
  const events: ObjectEvent[] = [];
  const notices: Notice[] = [];
  const versions = memoryVersions({ hook });
  const pointers = memoryPointers({ hook });
  let ids = 0;
  const newId = () => {
    ids += 1;
    return `id${ids}`;
  };
  const audit = memoryAudit({ hook });
  const knownRepositories = memoryKnownRepositories({ hook, audit });
  const settings: IndexSettings = { format: 'json', chartUrl: '', contextPath: '' };
  const deployment = { indexVersionsPerChart: 0 };
  return {
    events,
    notices,
    versions,
    pointers,
    audit,
    objects: memoryObjects({
      hook,
      now: clock.now,
      changed: (key, kind) => {
        if (/^(charts|inbox)\//.test(key)) events.push({ key, kind });
      },
    }),
    repositories: memoryRepositories({
      hook,
      known: () => new Set([...versions.items().map(({ repository }) => repository), ...pointers.known()]),
      forget: versions.forget,
    }),
    settings,
    // A history has a few versions: enough for an index that is composed.
    partSizes: { wholeBytes: 600, leastBytes: 200, sentBytes: 300, copiedBytes: 400 },
    /** What is set for all repositories; whoever reads the settings next reads this. */
    deployment,
    settingsOf: settingsReader(memorySettings({ hook }), deployment),
    uploads: memoryUploads({ hook }),
    settle: () => clock.sleep(200),
    maxPackageBytes: 1_000_000,
    clock,
    newId,
    knownRepositories,
    labels: memoryLabels({ hook, audit }),
    ...repositoryGate({ knownRepositories, clock, newId }, { access: 'open', createOnPublish: false }),
    report: (notice: Notice) => void notices.push(notice),
  };
}

/**
 * What a full rebuild of the table gives: the oracle for an index, whatever instant it was rendered at.
 *
 * @param perChart how many versions of each chart it lists; 0 for all
 */
export async function rebuiltIndex(
  world: World,
  repository: Notice['repository'],
  perChart = 0,
): Promise<string> {
  const objects = memoryObjects();
  const pointers = memoryPointers();
  const versions = { ...world.versions, indexed: async () => {} };
  const audit = memoryAudit();
  const settingsOf = settingsReader(memorySettings(), { indexVersionsPerChart: perChart });
  const outcome = await refreshIndex(
    { ...world, settingsOf, objects, pointers, versions, audit },
    repository,
    { rebuildAtMost: Number.POSITIVE_INFINITY, rebuild: true },
  );
  if (outcome.kind !== 'refreshed') return textOf(renderIndex([], '', world.settings).bytes);
  return textOf(objects.objects.get(`${outcome.pointer.folder}index.yaml`)?.bytes);
}

export const textOf = (bytes: Uint8Array | undefined): string =>
  Buffer.from(bytes ?? '')
    .toString()
    .replace(/"generated":"[^"]*"/, '');
