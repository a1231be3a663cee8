import { harborPage } from '../shared/edge/harbor-pages.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** GET /api/v2.0/projects/{project}/repositories: the images of a project, of which there are none here. */
export function listProjectRepositories(): Endpoint {
  return async (request) => await harborPage(request, [], () => ({}));
}

export const handler = lambdaHandler('list-project-repositories', listProjectRepositories);
