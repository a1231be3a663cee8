import { Fault } from '../shared/domain/fault.ts';
import { objects, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, pathParameter, repositoryOf } from '../shared/edge/request.ts';
import { bytes } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { readFiles } from '../shared/read-charts.ts';
import type { ObjectStore } from '../shared/store/object-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly objects: Pick<ObjectStore, 'get'>;
};

/** GET /api/{repository}/charts/{name}/{version}/values: the file values.yaml as it is in the package. */
export function getValues(dependencies: Dependencies): Endpoint {
  return async (request) => {
    const wanted = pathParameter(request, 'version');
    const files = await readFiles(dependencies, repositoryOf(request), chartNameOf(request), wanted);
    if (files.values === undefined) throw new Fault('not_found', 'values.yaml not found');
    return bytes('application/yaml', Buffer.from(files.values.text, 'base64'));
  };
}

export const handler = lambdaHandler('get-values', (environment) =>
  getValues({ versions: versions(environment), objects: objects(environment) }),
);
