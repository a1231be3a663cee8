import { type IndexSettings, renderEntry } from '../shared/domain/entry.ts';
import { Fault } from '../shared/domain/fault.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, repositoryOf } from '../shared/edge/request.ts';
import { jsonText } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { readChart } from '../shared/read-charts.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly settings: IndexSettings;
};

/** GET /api/{repository}/charts/{name}: the versions of one chart, newest first. */
export function getChart({ versions, settings }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const chart = await readChart(versions, repository, chartNameOf(request));
    if (chart.length === 0) throw new Fault('chart_not_found', 'chart not found');
    const entries = chart.map((version) => renderEntry(version, settings, repository));
    return jsonText(200, `[${entries.join(',')}]`);
  };
}

export const handler = lambdaHandler('get-chart', (environment) =>
  getChart({ versions: versions(environment), settings: environment.indexSettings }),
);
