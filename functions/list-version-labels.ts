import { shownLabel } from '../shared/domain/label.ts';
import { labels, versions } from '../shared/edge/environment.ts';
import { versionIdOf } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { labelsOf, liveVersion } from '../shared/labels.ts';
import type { LabelStore } from '../shared/store/label-store.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'get'>;
  readonly labels: Pick<LabelStore, 'in'>;
};

/** GET /api/chartrepo/{repository}/charts/{name}/{version}/labels: the labels of a version. */
export function listVersionLabels(dependencies: Dependencies): Endpoint {
  return async (request) => {
    const id = versionIdOf(request);
    const found = await labelsOf(dependencies, id.repository, [await liveVersion(dependencies, id)]);
    return json(200, [...found.values()].flat().map(shownLabel));
  };
}

export const handler = lambdaHandler('list-version-labels', (environment) =>
  listVersionLabels({ versions: versions(environment), labels: labels(environment) }),
);
