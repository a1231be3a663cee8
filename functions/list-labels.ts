import { parseLabelScope, shownLabel } from '../shared/domain/label.ts';
import { knownRepositories, labels, settingsOf } from '../shared/edge/environment.ts';
import { harborPage } from '../shared/edge/harbor-pages.ts';
import { readableProject } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { labelsIn } from '../shared/labels.ts';
import type { ReadableDependencies } from '../shared/readable-projects.ts';
import type { LabelStore } from '../shared/store/label-store.ts';

type Dependencies = ReadableDependencies & { readonly labels: Pick<LabelStore, 'in'> };

/** GET /api/v2.0/labels: everybody's labels, or a project's, by name; `name` asks for those with this in theirs. */
export function listLabels(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    const { query } = request;
    const number = parseLabelScope(query.get('scope') ?? 'g', Number(query.get('project_id')));
    const project = number === undefined ? undefined : await readableProject(dependencies, caller, number);
    const labels = await labelsIn(dependencies, project);
    const part = query.get('name') ?? '';
    const named = labels.filter(({ name }) => name.includes(part));
    return await harborPage(request, named, shownLabel);
  };
}

export const handler = lambdaHandler('list-labels', (environment) =>
  listLabels({
    labels: labels(environment),
    knownRepositories: knownRepositories(environment),
    settingsOf: settingsOf(environment),
  }),
);
