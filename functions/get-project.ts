import { shownProject } from '../shared/domain/project.ts';
import { knownRepositories, settingsOf } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { repositoryNotFound } from '../shared/known-repositories.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';
import type { KnownRepositoryStore } from '../shared/store/known-repository-store.ts';

export type ProjectDependencies = {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get'>;
  readonly settingsOf: SettingsReader;
};

/** GET /api/v2.0/projects/{project}: one project, by its name or id. */
export function getProject({ knownRepositories, settingsOf }: ProjectDependencies): Endpoint {
  return async (request) => {
    const path = repositoryOf(request);
    const known = await knownRepositories.get(path);
    if (known === undefined) throw repositoryNotFound({ path });
    return json(200, shownProject(known, await settingsOf(path)));
  };
}

export const handler = lambdaHandler('get-project', (environment) =>
  getProject({ knownRepositories: knownRepositories(environment), settingsOf: settingsOf(environment) }),
);
