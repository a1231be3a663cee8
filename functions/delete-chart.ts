import { type DeleteDependencies, deleteChart } from '../shared/delete.ts';
import { objects, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** DELETE /api/{repository}/charts/{name}: every version of a chart. */
export function removeChart(dependencies: DeleteDependencies): Endpoint {
  return async (request) => {
    await deleteChart(dependencies, repositoryOf(request), chartNameOf(request));
    return json(200, { deleted: true });
  };
}

export const handler = lambdaHandler('delete-chart', (environment) =>
  removeChart({ versions: versions(environment), objects: objects(environment) }),
);
