import { type IndexSettings, renderEntry } from '../shared/domain/entry.ts';
import { Fault } from '../shared/domain/fault.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { jsonText } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type Page, readCharts } from '../shared/read-charts.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofRepository'>;
  readonly settings: IndexSettings;
};

/** GET /api/{repository}/charts: every chart's versions, by name; `limit` and `offset` count charts. */
export function listCharts({ versions, settings }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const page = parsePage(request.query);
    const members: string[] = [];
    for await (const chart of readCharts(versions, repository, page)) {
      const entries = chart.versions.map((version) => renderEntry(version, settings, repository));
      // Text and not an object: a chart may be called `__proto__`, or `1`, which would come first.
      members.push(`${JSON.stringify(chart.name)}:[${entries.join(',')}]`);
    }
    return jsonText(200, `{${members.join(',')}}`);
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
  listCharts({ versions: versions(environment), settings: environment.indexSettings }),
);
