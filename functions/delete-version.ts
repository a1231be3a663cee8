import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { checkDeletable, type DeleteDependencies, deleteVersion } from '../shared/delete.ts';
import { Fault } from '../shared/domain/fault.ts';
import { isChartVersion } from '../shared/domain/version.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { settingsOf, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, isAtHarbors, pathParameter, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { deleted } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';

/**
 * DELETE /api/{repository}/charts/{name}/{version}: the version with its provenance file. `latest` and
 * ranges are not resolved: what is deleted is named.
 */
export function removeVersion(
  dependencies: DeleteDependencies & { readonly settingsOf: SettingsReader },
): Endpoint {
  return async (request, caller) => {
    const repository = repositoryOf(request);
    const name = chartNameOf(request);
    const version = pathParameter(request, 'version');
    if (!isChartVersion(version)) {
      throw new Fault('version_not_found', `chart ${name} has no version ${version}: name the exact version`);
    }
    checkDeletable(await dependencies.settingsOf(repository));
    await deleteVersion(dependencies, { repository, name, version }, senderOf(request, caller));
    return deleted({ atHarbors: isAtHarbors(request) });
  };
}

export const handler = lambdaHandler('delete-version', (environment) =>
  removeVersion({
    versions: versions(environment),
    objects: objects(environment),
    settingsOf: settingsOf(environment),
    clock: systemClock,
    newId: randomUUID,
  }),
);
