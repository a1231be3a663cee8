import { randomUUID } from 'node:crypto';
import { type AccountDependencies, putAccount, shownAccount } from '../shared/accounts.ts';
import { systemClock } from '../shared/clock.ts';
import { parseAccountWish } from '../shared/domain/account.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { accountNameOf, readJson, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { hashPassword } from '../shared/password.ts';

/** PUT /-/accounts/{account}: makes a user or robot, or says anew what it may do. */
export function replaceAccount(dependencies: AccountDependencies): Endpoint {
  return async (request, caller) => {
    const name = accountNameOf(request);
    const wish = parseAccountWish(readJson(request, 'the account'));
    const { account, isNew } = await putAccount(dependencies, name, wish, senderOf(request, caller));
    return json(isNew ? 201 : 200, shownAccount(account));
  };
}

export const handler = lambdaHandler('put-account', (environment) =>
  replaceAccount({
    accounts: accounts(environment),
    clock: systemClock,
    newId: randomUUID,
    hashPassword,
  }),
);
