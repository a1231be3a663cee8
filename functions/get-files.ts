import { objects } from '../shared/edge/bucket-environment.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type FilesDependencies, filesOf } from '../shared/edge/version-files.ts';

/** GET /api/{repository}/charts/{name}/{version}/files: the path and size in bytes of every file in the package. */
export function getFiles(dependencies: FilesDependencies): Endpoint {
  return async (request) => {
    const { files } = await filesOf(dependencies, request);
    return json(200, { files: files.map(({ path, sizeBytes }) => ({ name: path, size: sizeBytes })) });
  };
}

export const handler = lambdaHandler('get-files', (environment) =>
  getFiles({ versions: versions(environment), objects: objects(environment) }),
);
