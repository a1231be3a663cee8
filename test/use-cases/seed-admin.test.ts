import { describe, expect, it } from 'vitest';
import { putAccount } from '../../shared/accounts.ts';
import { adminName } from '../../shared/domain/account.ts';
import { seedAdmin } from '../../shared/seed-admin.ts';
import { anAccessChange, somebody } from '../store/records.ts';
import { aWorld } from './world.ts';

/** A deployment without accounts, and how often its secret was read. */
function aDeployment(change: { readonly readPassword?: () => Promise<string> } = {}) {
  const world = aWorld();
  const state = { password: 'of the secret', reads: 0 };
  const readPassword = async () => {
    state.reads += 1;
    return state.password;
  };
  const hashPassword = async (password: string) => `hash of ${password}`;
  const dependencies = { ...world, hashPassword, secret: { readPassword, ...change } };
  return {
    world,
    state,
    dependencies,
    seed: (reset = false) => seedAdmin(dependencies, { reset }),
    admin: () => world.accounts.get(adminName),
  };
}

const grants = [{ role: 'admin', on: '*' }] as const;

describe('seeding the admin', () => {
  it('makes a user who may do everything, with the password of the secret', async () => {
    const { seed, admin } = aDeployment();
    expect(await seed()).toBe('made');
    expect(await admin()).toMatchObject({ kind: 'user', grants, passwordHash: 'hash of of the secret' });
  });

  it('changes nothing the second time, and reads no secret for that', async () => {
    const { seed, admin, state } = aDeployment();
    await seed();
    const before = await admin();
    state.password = 'another';
    expect(await seed()).toBe('kept');
    expect(await admin()).toEqual(before);
    expect(state.reads).toBe(1);
  });

  it('leaves a password alone that was changed since', async () => {
    const { seed, admin, dependencies } = aDeployment();
    await seed();
    await putAccount(dependencies, adminName, { kind: 'user', grants, password: 'a new password' }, somebody);
    await seed();
    expect(await admin()).toMatchObject({ passwordHash: 'hash of a new password' });
  });

  it('gives the password of the secret and all rights back where it is told to', async () => {
    const { seed, admin, world } = aDeployment();
    const created = '2025-01-01T00:00:00.000Z';
    const robot = {
      name: adminName,
      kind: 'robot',
      created,
      grants: [],
      revision: 'r',
      secrets: [],
    } as const;
    await world.accounts.put(robot, undefined, anAccessChange());
    expect(await seed(true)).toBe('reset');
    const expected = {
      name: adminName,
      kind: 'user',
      created,
      grants,
      passwordHash: 'hash of of the secret',
    };
    expect(await admin()).toEqual({ ...expected, revision: expect.any(String) });
  });

  it('makes the account where it is told to reset one that is not there', async () => {
    const { seed, admin } = aDeployment();
    expect(await seed(true)).toBe('made');
    expect(await admin()).toBeDefined();
  });

  it('makes one account of several that run at once', async () => {
    const { seed, admin } = aDeployment();
    const seeded = await Promise.all([seed(), seed(), seed()]);
    expect(seeded.toSorted()).toEqual(['kept', 'kept', 'made']);
    expect(await admin()).toMatchObject({ grants });
  });

  it('leaves an account alone that is made in the meantime', async () => {
    const readPassword = async () => {
      await putAccount(
        dependencies,
        adminName,
        { kind: 'user', grants, password: 'a new password' },
        somebody,
      );
      return 'of the secret';
    };
    const { seed, admin, dependencies } = aDeployment({ readPassword });
    expect(await seed()).toBe('kept');
    expect(await admin()).toMatchObject({ passwordHash: 'hash of a new password' });
  });

  it('makes nobody where the secret cannot be read', async () => {
    const { seed, admin } = aDeployment({ readPassword: () => Promise.reject(new Error('AccessDenied')) });
    await expect(seed()).rejects.toThrow('AccessDenied');
    expect(await admin()).toBeUndefined();
  });
});
