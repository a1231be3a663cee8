import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { pageOf } from '../shared/edge/page.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** GET /api/v2.0/projects/{project}/repositories: the images of a project, of which there are none here. */
export function listProjectRepositories(): Endpoint {
  return async (request) => {
    const { page, headers } = pageOf(request, []);
    return json(200, page, headers);
  };
}

export const handler = lambdaHandler('list-project-repositories', listProjectRepositories);
