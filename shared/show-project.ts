import { type CountDependencies, countCharts } from './chart-count.ts';
import { type Caller, may, type Role, roleIn } from './domain/access.ts';
import type { KnownRepository } from './domain/known-repository.ts';
import { shownProject } from './domain/project.ts';
import type { Repository } from './domain/repository.ts';
import type { PublicReader } from './readable-projects.ts';

export type ShowDependencies = CountDependencies & { readonly settingsOf: PublicReader };

/**
 * A repository as Harbor's API shows it to somebody, with what has to be read for that. Who made it is told to those
 * who hear who the members are: a name is half of what a login needs.
 */
export async function showProject(
  dependencies: ShowDependencies,
  known: KnownRepository,
  caller: Caller,
): Promise<ReturnType<typeof shownProject>> {
  const { anonymousRead: isPublic } = await dependencies.settingsOf(known.path);
  const charts = await countCharts(dependencies, known.path);
  const owner = may(caller, 'maintain', known.path) ? known.by : '';
  return shownProject(known, { isPublic, charts, owner, role: roleOf(caller, known.path) });
}

/** Whoever does not say who they are has no role where they may only read, as everybody may. */
function roleOf(caller: Caller, path: Repository): Role | undefined {
  const role = roleIn(caller, path);
  return caller.kind === 'anyone' && role === 'reader' ? undefined : role;
}
