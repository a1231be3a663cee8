import { Fault } from '../shared/domain/fault.ts';
import type { KnownRepository } from '../shared/domain/known-repository.ts';
import { parseRepository } from '../shared/domain/repository.ts';
import { knownRepositories } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { pageLimit } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { shownRepository } from '../shared/known-repositories.ts';
import type { KnownRepositoryStore } from '../shared/store/known-repository-store.ts';

// Far below what an answer holds, with paths of the greatest length.
const MOST = 1000;

/**
 * GET /-/repositories: the repositories that were made, by path, a page at a time; `next` is the `after` of the
 * next page. Those that were deleted are there until they are gone for good.
 */
export function listRepositories({
  knownRepositories,
}: {
  knownRepositories: Pick<KnownRepositoryStore, 'all'>;
}): Endpoint {
  return async ({ query }) => {
    const limit = pageLimit(query, MOST);
    const after = query.get('after');
    const page: KnownRepository[] = [];
    for await (const known of knownRepositories.all(after === null ? undefined : parsePath(after))) {
      if (page.length === limit) {
        return json(200, { repositories: page.map(shownRepository), next: page.at(-1)?.path });
      }
      page.push(known);
    }
    return json(200, { repositories: page.map(shownRepository) });
  };
}

function parsePath(text: string) {
  if (text === '') throw new Fault('invalid_request', 'after is the path of a repository, and not empty');
  return parseRepository(text.split('/'));
}

export const handler = lambdaHandler('list-repositories', (environment) =>
  listRepositories({ knownRepositories: knownRepositories(environment) }),
);
