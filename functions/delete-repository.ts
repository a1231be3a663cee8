import { checkDeletable } from '../shared/delete.ts';
import { knownDependencies, settingsOf } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import {
  deleteRepository,
  type KnownRepositoryDependencies,
  shownRepository,
} from '../shared/known-repositories.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';

/**
 * DELETE /-/repositories/{repository}: a repository with all that is in it. 202: nobody finds it any more, and its
 * bytes go once it cannot be brought back.
 */
export function removeRepository(
  dependencies: KnownRepositoryDependencies & { readonly settingsOf: SettingsReader },
): Endpoint {
  return async (request, caller) => {
    const path = repositoryOf(request);
    checkDeletable(await dependencies.settingsOf(path));
    return json(202, shownRepository(await deleteRepository(dependencies, path, senderOf(request, caller))));
  };
}

export const handler = lambdaHandler('delete-repository', (environment) =>
  removeRepository({ ...knownDependencies(environment), settingsOf: settingsOf(environment) }),
);
