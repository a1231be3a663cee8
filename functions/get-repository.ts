import { isDeleted } from '../shared/domain/known-repository.ts';
import { knownRepositories, repositories, settingsOf } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { repositoryNotFound, shownRepository } from '../shared/known-repositories.ts';
import type { SettingsReader } from '../shared/repository-settings.ts';
import type { KnownRepositoryStore } from '../shared/store/known-repository-store.ts';
import type { RepositoryStore } from '../shared/store/repository-store.ts';

type Dependencies = {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'get'>;
  readonly repositories: Pick<RepositoryStore, 'counts'>;
  readonly settingsOf: SettingsReader;
};

/** GET /-/repositories/{repository}: a repository, and how much is in it, as reconciliation last counted. */
export function getRepository({ knownRepositories, repositories, settingsOf }: Dependencies): Endpoint {
  return async (request) => {
    const path = repositoryOf(request);
    const known = await knownRepositories.get(path);
    if (known === undefined || isDeleted(known)) throw repositoryNotFound(known ?? { path });
    const counts = await repositories.counts(path);
    const { anonymousRead } = await settingsOf(path);
    return json(200, { ...shownRepository(known), ...counts, anonymousRead });
  };
}

export const handler = lambdaHandler('get-repository', (environment) =>
  getRepository({
    knownRepositories: knownRepositories(environment),
    repositories: repositories(environment),
    settingsOf: settingsOf(environment),
  }),
);
