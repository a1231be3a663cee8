import { checkDeletable } from '../shared/delete.ts';
import { accounts, knownDependencies, pointers, settingsOf, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { asksForForce } from '../shared/edge/upload.ts';
import { deleteProject } from '../shared/projects.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';

type Dependencies = Parameters<typeof deleteProject>[0] & { readonly settingsOf: SettingsReader };

/** DELETE /api/v2.0/projects/{project}: an empty project, or by `?force=true` one with its charts, and its members. */
export function removeProject(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    const path = repositoryOf(request);
    checkDeletable(await dependencies.settingsOf(path));
    const force = asksForForce(request);
    await deleteProject(dependencies, path, { force, by: senderOf(request, caller) });
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('delete-project', (environment) =>
  removeProject({
    ...knownDependencies(environment),
    accounts: accounts(environment),
    versions: versions(environment),
    pointers: pointers(environment),
    settingsOf: settingsOf(environment),
  }),
);
