import { objects, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, pathParameter, repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { readFiles } from '../shared/read-charts.ts';
import type { ObjectStore } from '../shared/store/object-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly objects: Pick<ObjectStore, 'get'>;
};

/**
 * GET /api/{repository}/charts/{name}/{version}/templates: the chart's templates in base64 and its values
 * as JSON, `null` if it has no values.yaml.
 */
export function getTemplates(dependencies: Dependencies): Endpoint {
  return async (request) => {
    const wanted = pathParameter(request, 'version');
    const files = await readFiles(dependencies, repositoryOf(request), chartNameOf(request), wanted);
    return json(200, { templates: files.templates, values: files.values?.parsed ?? null });
  };
}

export const handler = lambdaHandler('get-templates', (environment) =>
  getTemplates({ versions: versions(environment), objects: objects(environment) }),
);
