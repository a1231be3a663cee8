import { shownAccount } from '../shared/accounts.ts';
import { type Account, parseAccountName, withPlus } from '../shared/domain/account.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { pageLimit } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { AccountStore } from '../shared/store/account-store.ts';

// With as many grants and secrets as there can be, so many accounts fit into an answer.
const MOST = 100;

/** GET /-/accounts: the accounts by name, a page at a time; `next` is the `after` of the next page. */
export function listAccounts({ accounts }: { accounts: Pick<AccountStore, 'all'> }): Endpoint {
  return async ({ query }) => {
    const limit = pageLimit(query, MOST);
    const after = query.get('after');
    const page: Account[] = [];
    const last = after === null ? undefined : parseAccountName(withPlus(after));
    for await (const account of accounts.all(last)) {
      if (page.length === limit) {
        return json(200, { accounts: page.map(shownAccount), next: page.at(-1)?.name });
      }
      page.push(account);
    }
    return json(200, { accounts: page.map(shownAccount) });
  };
}

export const handler = lambdaHandler('list-accounts', (environment) =>
  listAccounts({ accounts: accounts(environment) }),
);
