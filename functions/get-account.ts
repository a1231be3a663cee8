import { accountNotFound, shownAccount } from '../shared/accounts.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { accountNameOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { AccountStore } from '../shared/store/account-store.ts';

/** GET /-/accounts/{account}: what it may do, and which secrets a robot has; never a hash. */
export function getAccount({ accounts }: { accounts: Pick<AccountStore, 'get'> }): Endpoint {
  return async (request) => {
    const name = accountNameOf(request);
    const account = await accounts.get(name);
    if (account === undefined) throw accountNotFound(name);
    return json(200, shownAccount(account));
  };
}

export const handler = lambdaHandler('get-account', (environment) =>
  getAccount({ accounts: accounts(environment) }),
);
