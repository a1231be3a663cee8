import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { parseProjectWish } from '../shared/domain/project.ts';
import { settings } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { changeSettings } from '../shared/repository-settings.ts';

/** PUT /api/v2.0/projects/{project}: says whether everybody may read it; what else it says of itself stays. */
export function changeProject(dependencies: Parameters<typeof changeSettings>[0]): Endpoint {
  return async (request, caller) => {
    const path = repositoryOf(request);
    const { isPublic } = parseProjectWish(readJson(request, '{"metadata": {"public": "true"}}'));
    if (isPublic !== undefined) {
      await changeSettings(dependencies, path, { anonymousRead: isPublic }, senderOf(request, caller));
    }
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('put-project', (environment) =>
  changeProject({ settings: settings(environment), clock: systemClock, newId: randomUUID }),
);
