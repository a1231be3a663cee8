import { knownRepositories, pointers, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type DeletableDependencies, whyNotDeletable } from '../shared/projects.ts';

/** GET /api/v2.0/projects/{project}/_deletable: whether a project can be deleted, and if not, why. */
export function getDeletable(dependencies: DeletableDependencies): Endpoint {
  return async (request) => {
    const message = await whyNotDeletable(dependencies, repositoryOf(request));
    return json(200, { deletable: message === undefined, message: message ?? '' });
  };
}

export const handler = lambdaHandler('get-deletable', (environment) =>
  getDeletable({
    knownRepositories: knownRepositories(environment),
    versions: versions(environment),
    pointers: pointers(environment),
  }),
);
