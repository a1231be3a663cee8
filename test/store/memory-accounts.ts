import type { Account, AccountName } from '../../shared/domain/account.ts';
import { asCanary, canaryAccount } from '../../shared/domain/canary.ts';
import type { AccountStore } from '../../shared/store/account-store.ts';
import { type Hook, hooked } from './hook.ts';
import { type MemoryAudit, memoryAudit } from './memory-audit.ts';

type Options = { readonly hook?: Hook; readonly audit?: MemoryAudit };

export function memoryAccounts({ hook, audit = memoryAudit() }: Options = {}): AccountStore {
  const call = hooked('accounts', hook);
  const accounts = new Map<AccountName, Account>();
  return {
    get: (name) =>
      call('get', () => {
        const account = structuredClone(accounts.get(name));
        return account && name === canaryAccount ? asCanary(account) : account;
      }),
    async *all(after = '' as AccountName) {
      const names = [...accounts.keys()].filter((name) => name > after && name !== canaryAccount).toSorted();
      yield* await call('all', () => structuredClone(names.flatMap((name) => accounts.get(name) ?? [])));
    },
    put: (account, replaces, change) =>
      call('put', () => {
        const present = accounts.get(account.name)?.revision;
        if (present !== replaces && present !== account.revision) return false;
        accounts.set(account.name, structuredClone(account));
        audit.keep(change);
        return true;
      }),
    remove: (name, change) =>
      call('remove', () => {
        if (!accounts.delete(name)) return false;
        audit.keep(change);
        return true;
      }),
    used: (name, secretId, at) =>
      call('used', () => {
        const account = accounts.get(name);
        if (account?.kind !== 'robot') return;
        const secrets = account.secrets.map((each) =>
          each.id === secretId ? { ...each, lastUsed: at } : each,
        );
        accounts.set(name, { ...account, secrets });
      }),
  };
}
