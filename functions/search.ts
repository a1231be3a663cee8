import { collect, inParallel } from '../shared/async-iteration.ts';
import type { Repository } from '../shared/domain/repository.ts';
import { projectDependencies } from '../shared/edge/bucket-environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type ReadableDependencies, readableProjects } from '../shared/readable-projects.ts';
import type { IndexDependencies } from '../shared/refresh.ts';
import { type Hit, searchCharts } from '../shared/search-charts.ts';
import { showProject } from '../shared/show-project.ts';

// Each is asked how many charts it has.
const MOST_PROJECTS = 100;

/** GET /api/v2.0/search: the projects and charts in which `q` is found, of those that the caller may read. */
export function search(dependencies: IndexDependencies & ReadableDependencies): Endpoint {
  return async (request, caller) => {
    // As it stands: to match a pattern of somebody's choosing may take for ever.
    const text = (request.query.get('q') ?? '').toLowerCase();
    const isWanted = (candidate: string) => candidate.toLowerCase().includes(text);
    const projects = await collect(readableProjects(dependencies, caller));
    const named = projects.filter(({ path }) => isWanted(path)).slice(0, MOST_PROJECTS);
    const shown = new Map<Repository, object>();
    await inParallel(named, async (known) => {
      shown.set(known.path, await showProject(dependencies, known, caller));
    });
    const paths = projects.map(({ path }) => path);
    const hits = await searchCharts(dependencies, paths, isWanted);
    return json(200, {
      project: named.map(({ path }) => shown.get(path)),
      repository: [],
      chart: hits.map(shownHit),
    });
  };
}

/** Harbor's members of a hit begin with a capital; those of the version do not. */
const shownHit = ({ name, newest }: Hit) => ({ Name: name, Score: 0, Chart: { ...newest, labels: [] } });

export const handler = lambdaHandler('search', (environment) => search(projectDependencies(environment)));
