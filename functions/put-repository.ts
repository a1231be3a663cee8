import { Fault } from '../shared/domain/fault.ts';
import { knownDependencies } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { type Request, readJson, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import {
  type KnownRepositoryDependencies,
  putRepository,
  shownRepository,
} from '../shared/known-repositories.ts';

/** PUT /-/repositories/{repository}: makes a repository, or brings one back with `{"restore": true}`. */
export function makeRepository(dependencies: KnownRepositoryDependencies): Endpoint {
  return async (request, caller) => {
    const path = repositoryOf(request);
    const by = senderOf(request, caller);
    const { known, isNew } = await putRepository(dependencies, path, { restore: asksToRestore(request), by });
    return json(isNew ? 201 : 200, shownRepository(known));
  };
}

/** No body is needed to make one. */
function asksToRestore(request: Request): boolean {
  if (request.body.length === 0) return false;
  const { restore = false, ...others }: Record<string, unknown> = Object(
    readJson(request, '{"restore": true}'),
  );
  if (typeof restore === 'boolean' && Object.keys(others).length === 0) return restore;
  throw new Fault('invalid_request', 'send no body, or {"restore": true} to bring back what was deleted');
}

export const handler = lambdaHandler('put-repository', (environment) =>
  makeRepository(knownDependencies(environment)),
);
