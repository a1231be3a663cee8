import { Fault } from '../shared/domain/fault.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type FilesDependencies, filesOf } from '../shared/edge/version-files.ts';

/**
 * GET /api/{repository}/charts/{name}/{version}/templates: the chart's templates in base64 and its values
 * as JSON, `null` if it has no values.yaml.
 */
export function getTemplates(dependencies: FilesDependencies): Endpoint {
  return async (request) => {
    const files = await filesOf(dependencies, request);
    if (files.templates === undefined) {
      throw new Fault('too_large', 'the templates are larger than an answer can be: get the package');
    }
    return json(200, { templates: files.templates, values: files.values?.parsed ?? null });
  };
}

export const handler = lambdaHandler('get-templates', (environment) =>
  getTemplates({ versions: versions(environment), objects: objects(environment) }),
);
