import { systemClock } from '../shared/clock.ts';
import { lightObjects, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { answerList } from '../shared/edge/list-answer.ts';
import { chartNameOf, repositoryOf } from '../shared/edge/request.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type ChartIndexDependencies, readChartIndex } from '../shared/read-chart-index.ts';

const TYPE = 'application/x-yaml';

/** GET /{repository}/charts/{name}/index.yaml: one chart as a repository of its own; never stale. */
export function getChartIndex(dependencies: ChartIndexDependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const name = chartNameOf(request);
    return await answerList(request, TYPE, (isKnown) =>
      readChartIndex(dependencies, repository, name, isKnown),
    );
  };
}

export const handler = lambdaHandler('get-chart-index', (environment) =>
  getChartIndex({
    versions: versions(environment),
    objects: lightObjects(environment),
    settings: environment.indexSettings,
    clock: systemClock,
  }),
);
