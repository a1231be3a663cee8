import { randomUUID } from 'node:crypto';
import { deleteSecret } from '../shared/accounts.ts';
import { systemClock } from '../shared/clock.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { accountNameOf, pathParameter, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** DELETE /-/accounts/{account}/secrets/{id}: one secret of a robot; its others stay. */
export function removeSecret(dependencies: Parameters<typeof deleteSecret>[0]): Endpoint {
  return async (request, caller) => {
    const by = senderOf(request, caller);
    await deleteSecret(dependencies, accountNameOf(request), pathParameter(request, 'id'), by);
    return json(200, { deleted: true });
  };
}

export const handler = lambdaHandler('delete-secret', (environment) =>
  removeSecret({ accounts: accounts(environment), clock: systemClock, newId: randomUUID }),
);
