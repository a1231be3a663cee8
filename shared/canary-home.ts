import { randomBytes, randomUUID } from 'node:crypto';
import { accessChange } from './access-change.ts';
import { secretDigest } from './account-credentials.ts';
import type { AccountDependencies } from './accounts.ts';
import { changeRevised } from './change-revised.ts';
import type { Robot, RobotSecret } from './domain/account.ts';
import { upkeep } from './domain/audit.ts';
import { asCanary, canaryAccount, canaryRepository } from './domain/canary.ts';
import { type KnownRepositoryDependencies, putRepository } from './known-repositories.ts';
import { putSettings } from './repository-settings.ts';
import type { SettingsStore } from './store/settings-store.ts';

export type CanaryHomeDependencies = KnownRepositoryDependencies &
  Omit<AccountDependencies, 'hashPassword'> & {
    readonly access: 'open' | 'closed';
    readonly settings: Pick<SettingsStore, 'get' | 'put'>;
  };

// Longer than a run, and short enough to be of no use to whoever finds it later.
const SECRET_LIVES_MS = 10 * 60_000;

// Of runs that are under way at once.
const MOST_SECRETS = 4;

/** Whatever the deployment says: what the canary publishes, it deletes, and it signs with another key each time. */
const ownSettings = { allowDelete: true, requireSigned: false, maxVersions: 0, strictSemver: false };

/**
 * Makes what the canary publishes to, also where an admin has deleted it, and lets it in: with closed access by a secret
 * that ends in minutes and is kept nowhere.
 *
 * @returns name and secret; undefined where nobody is asked
 * @throws Fault where its repository is being removed
 */
export async function openCanaryHome(
  dependencies: CanaryHomeDependencies,
): Promise<{ readonly name: string; readonly secret: string } | undefined> {
  await makeRepository(dependencies);
  if (dependencies.access === 'open') return undefined;
  return { name: canaryAccount, secret: await newSecret(dependencies) };
}

async function makeRepository(dependencies: CanaryHomeDependencies): Promise<void> {
  const known = await dependencies.knownRepositories.get(canaryRepository);
  const restore = known?.deleted !== undefined;
  if (known === undefined || restore) {
    await putRepository(dependencies, canaryRepository, { restore, by: upkeep });
  }
  const said = await dependencies.settings.get(canaryRepository);
  const isSaid = Object.entries(ownSettings).every(([key, value]) => Object(said)[key] === value);
  if (!isSaid) await putSettings(dependencies, canaryRepository, { ...said, ...ownSettings }, upkeep);
}

async function newSecret(dependencies: CanaryHomeDependencies): Promise<string> {
  const now = dependencies.clock.now();
  const secret = randomBytes(32).toString('base64url');
  const made: RobotSecret = {
    id: randomUUID(),
    digest: secretDigest(secret).toString('hex'),
    created: new Date(now).toISOString(),
    expires: new Date(now + SECRET_LIVES_MS).toISOString(),
  };
  const { accounts, newId } = dependencies;
  const place = {
    read: async () => {
      const account = await accounts.get(canaryAccount);
      return account && asCanary(account);
    },
    write: (account: Robot, before: Robot | undefined) =>
      accounts.put(
        account,
        before?.revision,
        accessChange(dependencies, upkeep, {
          action: before === undefined ? 'account_created' : 'secret_created',
          target: canaryAccount,
          detail: { secret: made.id, expires: made.expires },
        }),
      ),
  };
  await changeRevised(canaryAccount, place, (before) => {
    const valid = (before?.secrets ?? []).filter(({ expires }) => now < Date.parse(expires));
    return asCanary({
      name: canaryAccount,
      kind: 'robot',
      created: before?.created ?? made.created,
      grants: [],
      revision: newId(),
      secrets: [...valid, made].slice(-MOST_SECRETS),
    });
  });
  return secret;
}
