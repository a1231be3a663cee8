import { objects } from '../shared/edge/bucket-environment.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { bytes } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type FilesDependencies, filesOf } from '../shared/edge/version-files.ts';

/** GET /api/{repository}/charts/{name}/{version}/chart: Chart.yaml as it is in the package. */
export function getDefinition(dependencies: FilesDependencies): Endpoint {
  return async (request) => {
    const files = await filesOf(dependencies, request);
    return bytes('application/yaml', Buffer.from(files.chart, 'base64'));
  };
}

export const handler = lambdaHandler('get-definition', (environment) =>
  getDefinition({ versions: versions(environment), objects: objects(environment) }),
);
