import { indexDependencies } from '../shared/edge/bucket-environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { answerList } from '../shared/edge/list-answer.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { LIST_TYPE, type ListDependencies } from '../shared/list-charts.ts';
import { listProjectCharts } from '../shared/list-project-charts.ts';

/** GET /api/chartrepo/{project}/charts: what Harbor tells of each chart, by name. */
export function getProjectCharts(dependencies: ListDependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    return await answerList(request, LIST_TYPE, (isKnown) =>
      listProjectCharts(dependencies, repository, isKnown),
    );
  };
}

export const handler = lambdaHandler('list-project-charts', (environment) =>
  getProjectCharts(indexDependencies(environment)),
);
