import { Fault } from '../shared/domain/fault.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { bytes } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type FilesDependencies, filesOf } from '../shared/edge/version-files.ts';

/** GET /api/{repository}/charts/{name}/{version}/readme: the README of the package. */
export function getReadme(dependencies: FilesDependencies): Endpoint {
  return async (request) => {
    const files = await filesOf(dependencies, request);
    if (files.readme === undefined) throw new Fault('not_found', 'README not found: the package has none');
    return bytes('text/markdown; charset=utf-8', Buffer.from(files.readme, 'base64'));
  };
}

export const handler = lambdaHandler('get-readme', (environment) =>
  getReadme({ versions: versions(environment), objects: objects(environment) }),
);
