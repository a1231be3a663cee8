import { canaryName } from '../contract.ts';
import { type Account, parseAccountName, type Robot } from './account.ts';
import { parseRepository } from './repository.ts';

/** What does by the clock what a client does. */
export const canaryAccount = parseAccountName(canaryName);

/** What it publishes to. */
export const canaryRepository = parseRepository([canaryName]);

/** What its account counts as, whatever the item says: whoever writes that item gives the canary no more than this. */
export function asCanary(account: Account): Robot {
  return {
    name: canaryAccount,
    kind: 'robot',
    created: account.created,
    grants: [{ role: 'maintainer', on: canaryRepository }],
    revision: account.revision,
    secrets: account.kind === 'robot' ? account.secrets : [],
  };
}
