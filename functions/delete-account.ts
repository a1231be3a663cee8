import { randomUUID } from 'node:crypto';
import { deleteAccount } from '../shared/accounts.ts';
import { systemClock } from '../shared/clock.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { accountNameOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** DELETE /-/accounts/{account}: an account with its secrets; what it published stays. */
export function removeAccount(dependencies: Parameters<typeof deleteAccount>[0]): Endpoint {
  return async (request, caller) => {
    await deleteAccount(dependencies, accountNameOf(request), senderOf(request, caller));
    return json(200, { deleted: true });
  };
}

export const handler = lambdaHandler('delete-account', (environment) =>
  removeAccount({ accounts: accounts(environment), clock: systemClock, newId: randomUUID }),
);
