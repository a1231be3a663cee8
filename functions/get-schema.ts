import { Fault } from '../shared/domain/fault.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { bytes } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type FilesDependencies, filesOf } from '../shared/edge/version-files.ts';

/** GET /api/{repository}/charts/{name}/{version}/schema: values.schema.json as it is in the package. */
export function getSchema(dependencies: FilesDependencies): Endpoint {
  return async (request) => {
    const files = await filesOf(dependencies, request);
    if (files.schema === undefined) throw new Fault('not_found', 'values.schema.json not found');
    return bytes('application/schema+json', Buffer.from(files.schema, 'base64'));
  };
}

export const handler = lambdaHandler('get-schema', (environment) =>
  getSchema({ versions: versions(environment), objects: objects(environment) }),
);
