import { type CountDependencies, countCharts } from './chart-count.ts';
import { type Caller, roleIn } from './domain/access.ts';
import type { KnownRepository } from './domain/known-repository.ts';
import { shownProject } from './domain/project.ts';
import type { PublicReader } from './readable-projects.ts';

export type ShowDependencies = CountDependencies & { readonly settingsOf: PublicReader };

/** A repository as Harbor's API shows it to somebody, with what has to be read for that. */
export async function showProject(
  dependencies: ShowDependencies,
  known: KnownRepository,
  caller: Caller,
): Promise<ReturnType<typeof shownProject>> {
  const { anonymousRead: isPublic } = await dependencies.settingsOf(known.path);
  const charts = await countCharts(dependencies, known.path);
  return shownProject(known, { isPublic, charts, role: roleIn(caller, known.path) });
}
