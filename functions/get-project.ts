import { type CountDependencies, countCharts } from '../shared/chart-count.ts';
import { roleIn } from '../shared/domain/access.ts';
import { shownProject } from '../shared/domain/project.ts';
import { knownRepositories, objects, pointers, settingsOf, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { repositoryNotFound } from '../shared/known-repositories.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';
import type { KnownRepositoryStore } from '../shared/store/known-repository-store.ts';

type Dependencies = CountDependencies & {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get'>;
  readonly settingsOf: SettingsReader;
};

/** GET /api/v2.0/projects/{project}: one project, by its name or id. */
export function getProject(dependencies: Dependencies): Endpoint {
  const { knownRepositories, settingsOf } = dependencies;
  return async (request, caller) => {
    const path = repositoryOf(request);
    const known = await knownRepositories.get(path);
    if (known === undefined) throw repositoryNotFound({ path });
    const { anonymousRead: isPublic } = await settingsOf(path);
    const charts = await countCharts(dependencies, path);
    return json(200, shownProject(known, { isPublic, charts, role: roleIn(caller, path) }));
  };
}

export const handler = lambdaHandler('get-project', (environment) =>
  getProject({
    knownRepositories: knownRepositories(environment),
    settingsOf: settingsOf(environment),
    versions: versions(environment),
    pointers: pointers(environment),
    objects: objects(environment),
  }),
);
