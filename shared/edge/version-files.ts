import type { ChartFiles } from '../domain/chart-package.ts';
import { readFiles } from '../read-charts.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { VersionStore } from '../store/version-store.ts';
import { chartNameOf, pathParameter, type Request, repositoryOf } from './request.ts';

export type FilesDependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly objects: Pick<ObjectStore, 'get'>;
};

/**
 * What was extracted from the package that a path …/charts/{name}/{version}/… names.
 *
 * @throws Fault `chart_not_found` or `version_not_found`
 */
export async function filesOf(dependencies: FilesDependencies, request: Request): Promise<ChartFiles> {
  const wanted = pathParameter(request, 'version');
  return await readFiles(dependencies, repositoryOf(request), chartNameOf(request), wanted);
}
