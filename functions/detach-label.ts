import { versions } from '../shared/edge/environment.ts';
import { labelIdOf, versionIdOf } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { detachLabel } from '../shared/labels.ts';
import type { VersionStore } from '../shared/store/version-store.ts';

type Dependencies = { readonly versions: Pick<VersionStore, 'get' | 'removeLabel'> };

/** DELETE /api/chartrepo/{repository}/charts/{name}/{version}/labels/{id}: takes a label from a version. */
export function deleteVersionLabel(dependencies: Dependencies): Endpoint {
  return async (request) => {
    await detachLabel(dependencies, versionIdOf(request), labelIdOf(request));
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('detach-label', (environment) =>
  deleteVersionLabel({ versions: versions(environment) }),
);
