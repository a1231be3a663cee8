import { deleteAccount } from '../shared/accounts.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { accountNameOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** DELETE /-/accounts/{account}: an account with its secrets; what it published stays. */
export function removeAccount(dependencies: Parameters<typeof deleteAccount>[0]): Endpoint {
  return async (request) => {
    const name = accountNameOf(request);
    await deleteAccount(dependencies, name);
    return json(200, { deleted: true });
  };
}

export const handler = lambdaHandler('delete-account', (environment) =>
  removeAccount({ accounts: accounts(environment) }),
);
