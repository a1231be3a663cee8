import { shownProject } from '../shared/domain/project.ts';
import { knownRepositories, settingsOf } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type ReadableDependencies, readableProjects } from '../shared/readable-projects.ts';

/** GET /api/v2.0/projects: the projects that the caller may read, by name. */
export function listProjects(dependencies: ReadableDependencies): Endpoint {
  return async (_, caller) => {
    const projects: object[] = [];
    for await (const known of readableProjects(dependencies, caller)) {
      projects.push(shownProject(known, await dependencies.settingsOf(known.path)));
    }
    return json(200, projects);
  };
}

export const handler = lambdaHandler('list-projects', (environment) =>
  listProjects({ knownRepositories: knownRepositories(environment), settingsOf: settingsOf(environment) }),
);
