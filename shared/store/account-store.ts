import type { Account, AccountName } from '../domain/account.ts';
import type { AccessChange } from '../domain/audit.ts';

/**
 * Who may do something. Every read is strong. The audit has a change if, and only if, it took effect.
 *
 * The canary's account counts as domain/canary.ts says, whatever was put.
 */
export type AccountStore = {
  get(name: AccountName): Promise<Account | undefined>;
  /** By name, ascending; those after a name, or all; without the canary's. */
  all(after?: AccountName): AsyncIterable<Account>;
  /**
   * Takes the place of the account as it was at a revision.
   *
   * @param replaces undefined where there was none
   * @returns false if the account is another by now
   */
  put(account: Account, replaces: string | undefined, change: AccessChange): Promise<boolean>;
  /** @returns false if there is none */
  remove(name: AccountName, change: AccessChange): Promise<boolean>;
  /** Notes when a robot's secret was used; without effect for an account that is gone. */
  used(name: AccountName, secretId: string, at: string): Promise<void>;
};
