import { accessChange, type ChangeDependencies } from './access-change.ts';
import { collect, inParallel } from './async-iteration.ts';
import { changeRevised } from './change-revised.ts';
import type { AccessChange, By } from './domain/audit.ts';
import { Fault } from './domain/fault.ts';
import { inLabelOrder, type Label, type LabelWish, MOST_LABELS, MOST_TOGETHER } from './domain/label.ts';
import type { VersionId } from './domain/object-keys.ts';
import type { Repository } from './domain/repository.ts';
import type { ChartVersion } from './domain/version.ts';
import type { LabelStore } from './store/label-store.ts';
import type { VersionItem, VersionStore } from './store/version-store.ts';

export type LabelDependencies = ChangeDependencies & {
  readonly labels: Pick<LabelStore, 'get' | 'in' | 'put'>;
};

export const labelNotFound = (id: number | string) =>
  new Fault('not_found', `there is no label ${String(id).slice(0, 80)}`);

/** The labels of a project, or everybody's, by name. */
export async function labelsIn(
  { labels }: { readonly labels: Pick<LabelStore, 'in'> },
  project: Repository | undefined,
): Promise<readonly Label[]> {
  const found = await collect(labels.in(project));
  return found.toSorted(inLabelOrder);
}

/**
 * Makes a label.
 *
 * @param project whose it is; undefined for everybody's
 * @throws Fault `label_exists`, `invalid_request` where there are as many as there may be, `try_again`
 */
export async function createLabel(
  dependencies: Omit<LabelDependencies, 'labels'> & {
    readonly labels: Pick<LabelStore, 'in' | 'put'>;
    /** Gives a number of 31 bits, another at each call. */
    readonly newLabelId: () => number;
  },
  wish: LabelWish,
  project: Repository | undefined,
  by: By,
): Promise<Label> {
  const { labels, clock, newId, newLabelId } = dependencies;
  const place = {
    read: async () => {
      const others = await labelsIn(dependencies, project);
      mustBeFree(others, { ...wish, ...(project !== undefined && { project }) });
      mustHaveRoom(others, project);
      return undefined;
    },
    write: (label: Label) => labels.put(label, undefined, labelChange(dependencies, by, 'created', label)),
  };
  const made = await changeRevised(`label ${wish.name}`, place, () => {
    const created = new Date(clock.now()).toISOString();
    const own = { id: newLabelId(), created, updated: created, revision: newId() };
    return { ...wish, ...(project !== undefined && { project }), ...own };
  });
  return made.value;
}

/**
 * Says anew what a label says; whose it is stays.
 *
 * @throws Fault `label_exists`, `not_found` if it is gone by now, `try_again`
 */
export async function changeLabel(
  dependencies: LabelDependencies,
  { id, project }: Label,
  wish: LabelWish,
  by: By,
): Promise<void> {
  const { labels, clock, newId } = dependencies;
  const place = {
    read: async () => {
      const others = await labelsIn(dependencies, project);
      mustBeFree(others, { id, ...wish, ...(project !== undefined && { project }) });
      return await labels.get(id);
    },
    write: (label: Label, before: Label | undefined) =>
      labels.put(label, before, labelChange(dependencies, by, 'changed', label)),
  };
  await changeRevised(`label ${id}`, place, (before) => {
    if (before === undefined) throw labelNotFound(id);
    return { ...before, ...wish, updated: new Date(clock.now()).toISOString(), revision: newId() };
  });
}

/** Only to say why: that no two get one name is the store's to see. */
function mustBeFree(
  others: readonly Label[],
  { id, name, project }: Pick<Label, 'name' | 'project'> & Partial<Pick<Label, 'id'>>,
): void {
  const there = others.find((other) => other.name === name && other.id !== id);
  if (there === undefined) return;
  const message = `there is a label ${JSON.stringify(name)}${inProject(project)}: its id is ${there.id}`;
  throw new Fault('label_exists', message);
}

/** Those who make labels at the same moment may make a few more. */
function mustHaveRoom(others: readonly Label[], project: Repository | undefined): void {
  if (others.length < MOST_TOGETHER) return;
  throw new Fault(
    'invalid_request',
    `there are ${others.length} labels${inProject(project) || ' of everybody'}, the most there can be is ${MOST_TOGETHER}: delete one`,
  );
}

const inProject = (project: Repository | undefined) => (project === undefined ? '' : ` in ${project}`);

type DeleteLabelDependencies = ChangeDependencies & { readonly labels: Pick<LabelStore, 'get' | 'remove'> };

/**
 * Deletes a label. Versions keep its id, which nothing shows any more.
 *
 * @param seen as the caller has seen it
 * @throws Fault `not_found`
 */
export async function deleteLabel(dependencies: DeleteLabelDependencies, seen: Label, by: By): Promise<void> {
  if (!(await deleteIfThere(dependencies, seen, by))) throw labelNotFound(seen.id);
}

/** @returns false if somebody else was faster */
async function deleteIfThere(dependencies: DeleteLabelDependencies, seen: Label, by: By): Promise<boolean> {
  const { labels } = dependencies;
  for (let label: Label | undefined = seen; label !== undefined; label = await labels.get(seen.id)) {
    if (await labels.remove(label, labelChange(dependencies, by, 'deleted', label))) return true;
  }
  return false;
}

/**
 * Deletes all labels of a project: whoever makes one of that name is not to find them.
 *
 * @param isOver asked before each whether to stop
 * @returns whether all are gone
 */
export async function deleteLabelsOf(
  dependencies: ChangeDependencies & { readonly labels: Pick<LabelStore, 'in' | 'get' | 'remove'> },
  project: Repository,
  by: By,
  isOver: () => boolean = () => false,
): Promise<boolean> {
  for (const label of await labelsIn(dependencies, project)) {
    if (isOver()) return false;
    await deleteIfThere(dependencies, label, by);
  }
  return true;
}

function labelChange(
  dependencies: ChangeDependencies,
  by: By,
  what: 'created' | 'changed' | 'deleted',
  { id, name, description, color, project }: Label,
): AccessChange {
  return accessChange(dependencies, by, {
    action: `label_${what}`,
    ...(project !== undefined && { repository: project }),
    detail: { label: id, name, ...(what !== 'deleted' && { description, color }) },
  });
}

/**
 * The labels of versions of a repository, by version, each by name; for all of them two queries at most. Every one of
 * the versions is in it. Labels that were deleted are not shown.
 */
export async function labelsOf(
  dependencies: { readonly labels: Pick<LabelStore, 'in'> },
  repository: Repository,
  versions: readonly { readonly version: ChartVersion; readonly labels?: readonly number[] }[],
): Promise<ReadonlyMap<ChartVersion, readonly Label[]>> {
  const isAny = versions.some((version) => version.labels !== undefined);
  const whose = isAny ? [undefined, repository] : [];
  const found = await Promise.all(whose.map((project) => labelsIn(dependencies, project)));
  const usable = found.flat().toSorted(inLabelOrder);
  return new Map(
    versions.map(({ version, labels: ids = [] }) => [version, usable.filter(({ id }) => ids.includes(id))]),
  );
}

/** Whether versions of a repository may have a label. */
export const isUsable = ({ project }: Pick<Label, 'project'>, repository: Repository): boolean =>
  project === undefined || project === repository;

export type AttachDependencies = {
  readonly versions: Pick<VersionStore, 'get' | 'addLabel' | 'removeLabel'>;
  readonly labels: Pick<LabelStore, 'get'>;
};

/**
 * Attaches a label to a version.
 *
 * @throws Fault `version_not_found`, `label_exists` if the version has it, `invalid_request` if it has as many as it may
 */
export async function attachLabel(
  dependencies: AttachDependencies,
  id: VersionId,
  label: number,
): Promise<void> {
  const { versions } = dependencies;
  while (!(await versions.addLabel(id, label, { most: MOST_LABELS }))) {
    const { labels = [] } = await liveVersion(dependencies, id);
    if (labels.includes(label)) {
      throw new Fault('label_exists', `${id.name} ${id.version} has label ${label} already`);
    }
    if (labels.length >= MOST_LABELS && !(await dropDeleted(dependencies, id, labels))) {
      throw new Fault(
        'invalid_request',
        `${id.name} ${id.version} has ${MOST_LABELS} labels, the most there can be: remove one`,
      );
    }
  }
}

/** Labels that were deleted, which nobody sees, are not to take up room. @returns whether there were any */
async function dropDeleted(
  { versions, labels }: AttachDependencies,
  id: VersionId,
  ids: readonly number[],
): Promise<boolean> {
  let wereAny = false;
  // Each by itself: a list may leave out a label that is renamed meanwhile.
  await inParallel(ids, async (each) => {
    if ((await labels.get(each)) !== undefined) return;
    wereAny = true;
    await versions.removeLabel(id, each);
  });
  return wereAny;
}

/**
 * Takes a label from a version, also one that was deleted since.
 *
 * @throws Fault `version_not_found`, `not_found` if the version does not have it
 */
export async function detachLabel(
  dependencies: { readonly versions: Pick<VersionStore, 'get' | 'removeLabel'> },
  id: VersionId,
  label: number,
): Promise<void> {
  if (await dependencies.versions.removeLabel(id, label)) return;
  await liveVersion(dependencies, id);
  throw new Fault('not_found', `${id.name} ${id.version} has no label ${label}`);
}

/** @throws Fault `version_not_found` */
export async function liveVersion(
  { versions }: { readonly versions: Pick<VersionStore, 'get'> },
  id: VersionId,
): Promise<VersionItem> {
  const item = await versions.get(id);
  if (item?.live !== undefined) return item;
  throw new Fault('version_not_found', `chart ${id.name} has no version ${id.version}`);
}
