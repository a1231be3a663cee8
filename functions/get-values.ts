import { Fault } from '../shared/domain/fault.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { bytes } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type FilesDependencies, filesOf } from '../shared/edge/version-files.ts';

/** GET /api/{repository}/charts/{name}/{version}/values: the file values.yaml as it is in the package. */
export function getValues(dependencies: FilesDependencies): Endpoint {
  return async (request) => {
    const files = await filesOf(dependencies, request);
    if (files.values === undefined) throw new Fault('not_found', 'values.yaml not found');
    return bytes('application/yaml', Buffer.from(files.values.text, 'base64'));
  };
}

export const handler = lambdaHandler('get-values', (environment) =>
  getValues({ versions: versions(environment), objects: objects(environment) }),
);
