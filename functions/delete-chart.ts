import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { checkDeletable, type DeleteDependencies, deleteChart } from '../shared/delete.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { settingsOf, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { chartNameOf, isAtHarbors, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { deleted } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';

/** DELETE /api/{repository}/charts/{name}: every version of a chart. */
export function removeChart(
  dependencies: DeleteDependencies & { readonly settingsOf: SettingsReader },
): Endpoint {
  return async (request, caller) => {
    const repository = repositoryOf(request);
    const name = chartNameOf(request);
    checkDeletable(await dependencies.settingsOf(repository));
    await deleteChart(dependencies, repository, name, senderOf(request, caller));
    return deleted({ atHarbors: isAtHarbors(request) });
  };
}

export const handler = lambdaHandler('delete-chart', (environment) =>
  removeChart({
    versions: versions(environment),
    objects: objects(environment),
    settingsOf: settingsOf(environment),
    clock: systemClock,
    newId: randomUUID,
  }),
);
