import { type IndexSettings, renderEntry } from '../shared/domain/entry.ts';
import { versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, pathParameter, repositoryOf } from '../shared/edge/request.ts';
import { jsonText } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { readVersion } from '../shared/read-charts.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'ofChart'>;
  readonly settings: IndexSettings;
};

/** GET /api/{repository}/charts/{name}/{version}: one version; `latest` and ranges are resolved. */
export function getVersion({ versions, settings }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const wanted = pathParameter(request, 'version');
    const found = await readVersion(versions, repository, chartNameOf(request), wanted);
    return jsonText(200, renderEntry(found, settings, repository));
  };
}

export const handler = lambdaHandler('get-version', (environment) =>
  getVersion({ versions: versions(environment), settings: environment.indexSettings }),
);
