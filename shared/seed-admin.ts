import { accessChange } from './access-change.ts';
import { type AccountDependencies, changeAccount } from './accounts.ts';
import { EVERYWHERE } from './domain/access.ts';
import { type Account, adminName } from './domain/account.ts';
import { upkeep } from './domain/audit.ts';
import type { AdminSecret } from './store/admin-secret.ts';

export type SeedDependencies = AccountDependencies & { readonly secret: AdminSecret };

/** What became of the account: it was not there, it was left alone, or it has the secret's password again. */
export type Seeded = 'made' | 'kept' | 'reset';

/**
 * Makes the account that a deployment begins with, with the password of the secret. One that is there keeps its
 * own, unless it is reset; that gives it back the right to everything too. May run any number of times, also at once.
 */
export async function seedAdmin(
  dependencies: SeedDependencies,
  { reset }: { readonly reset: boolean },
): Promise<Seeded> {
  const { accounts, clock, newId, hashPassword, secret } = dependencies;
  // Looked at first: a hash takes long, and what is kept needs none.
  if (!reset && (await accounts.get(adminName)) !== undefined) return 'kept';
  const passwordHash = await hashPassword(await secret.readPassword());
  const tell = (account: Account, before: Account | undefined) =>
    accessChange(dependencies, upkeep, {
      action: before === undefined ? 'account_created' : 'account_changed',
      target: adminName,
      detail: { kind: account.kind, grants: account.grants, password: 'set' },
    });
  const { isNew } = await changeAccount(dependencies, adminName, tell, (before) => {
    if (before !== undefined && !reset) return before;
    return {
      name: adminName,
      kind: 'user',
      created: before?.created ?? new Date(clock.now()).toISOString(),
      grants: [{ role: 'admin', on: EVERYWHERE }],
      revision: newId(),
      passwordHash,
    };
  });
  if (isNew) return 'made';
  return reset ? 'reset' : 'kept';
}
