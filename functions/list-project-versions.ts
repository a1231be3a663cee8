import { type IndexSettings, renderEntry } from '../shared/domain/entry.ts';
import { Fault } from '../shared/domain/fault.ts';
import { shownLabel } from '../shared/domain/label.ts';
import { labelledEntry } from '../shared/domain/project-charts.ts';
import { labels, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, repositoryOf } from '../shared/edge/request.ts';
import { jsonText } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { labelsOf } from '../shared/labels.ts';
import { readChart } from '../shared/read-charts.ts';
import type { LabelStore } from '../shared/store/label-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly labels: Pick<LabelStore, 'in'>;
  readonly settings: IndexSettings;
};

/** GET /api/chartrepo/{project}/charts/{name}: the versions of one chart, newest first, with their labels. */
export function getProjectVersions({ versions, labels, settings }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const chart = await readChart(versions, repository, chartNameOf(request));
    if (chart.length === 0) throw new Fault('chart_not_found', 'chart not found');
    const byVersion = await labelsOf({ labels }, repository, chart);
    const entries = chart.map((each) => {
      const shown = (byVersion.get(each.version) ?? []).map(shownLabel);
      return labelledEntry(renderEntry(each, settings, repository), shown);
    });
    return jsonText(200, `[${entries.join(',')}]`);
  };
}

export const handler = lambdaHandler('list-project-versions', (environment) =>
  getProjectVersions({
    versions: versions(environment),
    labels: labels(environment),
    settings: environment.indexSettings,
  }),
);
