import { Fault } from '../shared/domain/fault.ts';
import { indexDependencies } from '../shared/edge/bucket-environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { answerList } from '../shared/edge/list-answer.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { LIST_TYPE, type ListDependencies, listCharts, type Page } from '../shared/list-charts.ts';

/**
 * GET /api/{repository}/charts: every chart's versions, by name; `limit` and `offset` count charts. What
 * is too large for an answer is a redirect to a signed URL.
 */
export function getCharts(dependencies: ListDependencies): Endpoint {
  return async (request) => {
    const page = parsePage(request.query);
    const repository = repositoryOf(request);
    return await answerList(request, LIST_TYPE, (isKnown) =>
      listCharts(dependencies, repository, page, isKnown),
    );
  };
}

/** @throws Fault `invalid_request`, in ChartMuseum's words */
function parsePage(query: URLSearchParams): Page {
  const limit = query.get('limit');
  const offset = query.get('offset');
  if (limit !== null && !/^0*[1-9]\d*$/.test(limit)) {
    throw new Fault('invalid_request', 'limit is not a valid positive integer');
  }
  if (offset !== null && !/^\d+$/.test(offset)) {
    throw new Fault('invalid_request', 'offset is not a valid non-negative integer');
  }
  return { offset: Number(offset ?? 0), limit: limit === null ? undefined : Number(limit) };
}

export const handler = lambdaHandler('list-charts', (environment) =>
  getCharts(indexDependencies(environment)),
);
