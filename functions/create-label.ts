import { parseLabelScope, parseLabelWish } from '../shared/domain/label.ts';
import { knownRepositories, labelDependencies, settingsOf } from '../shared/edge/environment.ts';
import { mustMaintain, readableProject } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { createLabel } from '../shared/labels.ts';
import type { ReadableDependencies } from '../shared/readable-projects.ts';

type Dependencies = ReadableDependencies & Parameters<typeof createLabel>[0];

/** POST /api/v2.0/labels: makes a label, everybody's or a project's. */
export function postLabel(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    const body = readJson(request, 'the label');
    const wish = parseLabelWish(body);
    const { scope, project_id }: Record<string, unknown> = Object(body);
    const number = parseLabelScope(scope, project_id);
    const project = number === undefined ? undefined : await readableProject(dependencies, caller, number);
    mustMaintain(caller, project);
    const { id } = await createLabel(dependencies, wish, project, senderOf(request, caller));
    return headersOnly(201, { location: `${request.basePath}${request.path}/${id}` });
  };
}

export const handler = lambdaHandler('create-label', (environment) =>
  postLabel({
    ...labelDependencies(environment),
    knownRepositories: knownRepositories(environment),
    settingsOf: settingsOf(environment),
  }),
);
