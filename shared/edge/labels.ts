import { type Caller, EVERYWHERE, may, roleFor } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import { type Label, readLabelId } from '../domain/label.ts';
import type { VersionId } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';
import { isChartVersion } from '../domain/version.ts';
import type { RepositoryGate } from '../known-repositories.ts';
import { labelNotFound } from '../labels.ts';
import { mayRead, type ReadableDependencies } from '../readable-projects.ts';
import type { SettingsReader } from '../repository-settings.ts';
import type { LabelStore } from '../store/label-store.ts';
import { forbidden } from './authorize.ts';
import { projectNumbered } from './project.ts';
import { chartNameOf, pathParameter, type Request, repositoryOf } from './request.ts';

/*
 * Whose a label is stands in it, and not in the path: so the table of routes asks for any account, and what more is
 * needed is asked here, with the refusals of authorize.ts.
 */

export type LabelAccess = Pick<RepositoryGate, 'isThere'> & {
  readonly labels: Pick<LabelStore, 'get'>;
  readonly settingsOf: SettingsReader;
};

/**
 * The label with this id, which everybody with an account may read, unless it is a project's that they may not.
 *
 * @throws Fault `not_found`
 */
export async function readableLabel(dependencies: LabelAccess, caller: Caller, id: number): Promise<Label> {
  const label = await dependencies.labels.get(id);
  if (label === undefined) throw labelNotFound(id);
  const { project } = label;
  if (project === undefined) return label;
  if ((await dependencies.isThere(project)) && (await mayRead(dependencies, caller, project))) return label;
  throw labelNotFound(id);
}

/**
 * The label that the path names, for who may change it.
 *
 * @throws Fault `not_found`; `forbidden` for who may only read it
 */
export async function changeableLabel(
  dependencies: LabelAccess,
  request: Request,
  caller: Caller,
): Promise<Label> {
  const label = await readableLabel(dependencies, caller, labelIdOf(request));
  mustMaintain(caller, label.project);
  return label;
}

/** @throws Fault `forbidden` for who may not change the labels of a project that they may read, or everybody's */
export function mustMaintain(caller: Caller, project: Repository | undefined): void {
  const [permission, on] =
    project === undefined ? (['administer', EVERYWHERE] as const) : (['maintain', project] as const);
  if (!may(caller, permission, on)) throw forbidden(caller, roleFor(permission), on);
}

/**
 * The project with this number.
 *
 * @throws Fault `repository_not_found` if there is none that the caller may read
 */
export async function readableProject(
  dependencies: ReadableDependencies,
  caller: Caller,
  number: number,
): Promise<Repository> {
  const project = await projectNumbered(dependencies.knownRepositories, number);
  if (project !== undefined && (await mayRead(dependencies, caller, project))) return project;
  throw new Fault('repository_not_found', `there is no project ${number}`);
}

/** @throws Fault `not_found` for what cannot be one */
export function labelIdOf(request: Request): number {
  const text = pathParameter(request, 'id');
  const id = readLabelId(text);
  if (id === undefined) throw labelNotFound(text);
  return id;
}

/**
 * The version that the path names; `latest` and ranges are not resolved.
 *
 * @throws Fault `version_not_found`
 */
export function versionIdOf(request: Request): VersionId {
  const name = chartNameOf(request);
  const version = pathParameter(request, 'version');
  if (isChartVersion(version)) return { repository: repositoryOf(request), name, version };
  throw new Fault('version_not_found', `chart ${name} has no version ${version}: name the exact version`);
}
