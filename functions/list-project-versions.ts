import { type IndexSettings, renderEntry } from '../shared/domain/entry.ts';
import { Fault } from '../shared/domain/fault.ts';
import { labelledEntry } from '../shared/domain/project-charts.ts';
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

/** GET /api/chartrepo/{project}/charts/{name}: the versions of one chart, newest first, with their labels. */
export function getProjectVersions({ versions, settings }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const chart = await readChart(versions, repository, chartNameOf(request));
    if (chart.length === 0) throw new Fault('chart_not_found', 'chart not found');
    const entries = chart.map((version) => labelledEntry(renderEntry(version, settings, repository), []));
    return jsonText(200, `[${entries.join(',')}]`);
  };
}

export const handler = lambdaHandler('list-project-versions', (environment) =>
  getProjectVersions({ versions: versions(environment), settings: environment.indexSettings }),
);
