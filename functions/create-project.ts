import { numberOf, parseProjectName, parseProjectWish } from '../shared/domain/project.ts';
import {
  accounts,
  knownDependencies,
  labels,
  pointers,
  settings,
  versions,
} from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type CreateDependencies, createProject } from '../shared/projects.ts';

/** POST /api/v2.0/projects: makes a project, whose users publish again what is there. */
export function postProject(dependencies: CreateDependencies): Endpoint {
  return async (request, caller) => {
    const value = readJson(request, '{"project_name": "…", "metadata": {"public": "false"}}');
    const name = parseProjectName(Object(value).project_name);
    const { isPublic = false } = parseProjectWish(value);
    await createProject(dependencies, name, { isPublic, by: senderOf(request, caller) });
    const byName = request.headers['x-resource-name-in-location'] === 'true';
    return headersOnly(201, {
      location: `${request.basePath}${request.path}/${byName ? name : numberOf(name)}`,
    });
  };
}

export const handler = lambdaHandler('create-project', (environment) =>
  postProject({
    ...knownDependencies(environment),
    accounts: accounts(environment),
    labels: labels(environment),
    settings: settings(environment),
    versions: versions(environment),
    pointers: pointers(environment),
  }),
);
