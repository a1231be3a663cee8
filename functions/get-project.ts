import { objects } from '../shared/edge/bucket-environment.ts';
import { knownRepositories, pointers, settingsOf, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { repositoryNotFound } from '../shared/known-repositories.ts';
import { type ShowDependencies, showProject } from '../shared/show-project.ts';
import type { KnownRepositoryStore } from '../shared/store/known-repository-store.ts';

type Dependencies = ShowDependencies & {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get'>;
};

/** GET /api/v2.0/projects/{project}: one project, by its name or id. */
export function getProject(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    const path = repositoryOf(request);
    const known = await dependencies.knownRepositories.get(path);
    if (known === undefined) throw repositoryNotFound({ path });
    return json(200, await showProject(dependencies, known, caller));
  };
}

export const handler = lambdaHandler('get-project', (environment) =>
  getProject({
    knownRepositories: knownRepositories(environment),
    settingsOf: settingsOf(environment),
    versions: versions(environment),
    pointers: pointers(environment),
    objects: objects(environment),
  }),
);
