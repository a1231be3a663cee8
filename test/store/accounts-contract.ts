import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import { parseAccountName, type Robot, type User } from '../../shared/domain/account.ts';
import { canaryAccount } from '../../shared/domain/canary.ts';
import type { AccountStore } from '../../shared/store/account-store.ts';
import { anAccessChange } from './records.ts';

const aName = (beginning = 'a') => parseAccountName(`${beginning}-${randomUUID()}`);

const aUser = (parts: Partial<User> = {}): User => ({
  name: aName(),
  kind: 'user',
  created: '2026-01-02T03:04:05.678Z',
  grants: [{ role: 'publisher', on: 'org/*' }],
  revision: randomUUID(),
  passwordHash: '$scrypt$…',
  ...parts,
});

const aRobot = (parts: Partial<Robot> = {}): Robot => {
  const { passwordHash, ...common } = aUser();
  const secrets = ['s1', 's2'].map((id) => ({
    id,
    digest: `digest of ${id}`,
    created: '2026-01-02T03:04:05.678Z',
    expires: '2026-04-02T03:04:05.678Z',
  }));
  return { ...common, kind: 'robot', secrets, ...parts };
};

/** What every account store promises. */
export function accountsContract(open: () => AccountStore): void {
  describe('accounts', () => {
    it('are undefined where there is none', async () => {
      expect(await open().get(aName())).toBeUndefined();
    });

    it.each([
      { what: 'a user', account: aUser() },
      { what: 'a robot', account: aRobot() },
    ])('come back as they were put: $what', async ({ account }) => {
      expect(await open().put(account, undefined, anAccessChange())).toBe(true);
      expect(await open().get(account.name)).toEqual(account);
    });

    it('are replaced by who saw them as they are, and by nobody else', async () => {
      const first = aUser();
      await open().put(first, undefined, anAccessChange());
      const second = { ...first, grants: [], revision: randomUUID() };
      expect(await open().put(second, undefined, anAccessChange())).toBe(false);
      expect(await open().put(second, 'another revision', anAccessChange())).toBe(false);
      expect(await open().get(first.name)).toEqual(first);
      expect(await open().put(second, first.revision, anAccessChange())).toBe(true);
      expect(await open().get(first.name)).toEqual(second);
      expect(await open().put({ ...first, revision: randomUUID() }, first.revision, anAccessChange())).toBe(
        false,
      );
    });

    it('take the same write twice, as when its answer was lost', async () => {
      const first = aUser();
      const second = { ...first, grants: [], revision: randomUUID() };
      expect(await open().put(first, undefined, anAccessChange())).toBe(true);
      expect(await open().put(first, undefined, anAccessChange())).toBe(true);
      expect(await open().put(second, first.revision, anAccessChange())).toBe(true);
      expect(await open().put(second, first.revision, anAccessChange())).toBe(true);
    });

    it('are not made again by who changes one that was removed', async () => {
      const first = aUser();
      await open().put(first, undefined, anAccessChange());
      expect(await open().remove(first.name, anAccessChange())).toBe(true);
      expect(await open().remove(first.name, anAccessChange())).toBe(false);
      expect(await open().put({ ...first, revision: randomUUID() }, first.revision, anAccessChange())).toBe(
        false,
      );
      expect(await open().get(first.name)).toBeUndefined();
    });

    it('remember when each secret was used, also when they are changed', async () => {
      const robot = aRobot();
      await open().put(robot, undefined, anAccessChange());
      await open().used(robot.name, 's1', '2026-01-03T00:00:00.000Z');
      await open().used(robot.name, 's1', '2026-01-04T00:00:00.000Z');
      const [s1, s2] = robot.secrets;
      const used = { ...robot, secrets: [{ ...s1, lastUsed: '2026-01-04T00:00:00.000Z' }, s2] };
      expect(await open().get(robot.name)).toEqual(used);
      const changed = { ...used, revision: randomUUID() } as Robot;
      await open().put(changed, robot.revision, anAccessChange());
      expect(await open().get(robot.name)).toEqual(changed);
    });

    it('are not made by the use of a secret', async () => {
      const name = aName();
      await open().used(name, 's1', '2026-01-03T00:00:00.000Z');
      expect(await open().get(name)).toBeUndefined();
    });

    it("count as the canary's for no more than that, whatever is put, and are not listed then", async () => {
      const grants = [{ role: 'admin', on: '*' }] as const;
      const robot = aRobot({ name: canaryAccount, grants });
      const { secrets } = robot;
      const own = [{ role: 'maintainer', on: 'chartroom-canary' }];
      expect(await open().put(robot, undefined, anAccessChange())).toBe(true);
      expect(await open().get(canaryAccount)).toEqual({ ...robot, grants: own, secrets });
      const user = aUser({ name: canaryAccount, grants });
      expect(await open().put(user, robot.revision, anAccessChange())).toBe(true);
      const { passwordHash: _, ...left } = user;
      expect(await open().get(canaryAccount)).toEqual({ ...left, kind: 'robot', grants: own, secrets: [] });
      expect((await collect(open().all())).map(({ name }) => name)).not.toContain(canaryAccount);
    });

    it('are listed by name, after a name', async () => {
      const names = ['z3', 'z1.a', 'z1', 'z1+a', 'z2'].map((name) => parseAccountName(name));
      for (const name of names) await open().put(aUser({ name }), undefined, anAccessChange());
      const namesAfter = async (name: string) =>
        (await collect(open().all(parseAccountName(name)))).map((account) => account.name);
      expect(await namesAfter('z0')).toEqual(['z1', 'z1+a', 'z1.a', 'z2', 'z3']);
      expect(await namesAfter('z1')).toEqual(['z1+a', 'z1.a', 'z2', 'z3']);
      expect(await namesAfter('z1+a')).toEqual(['z1.a', 'z2', 'z3']);
      expect(await namesAfter('z3')).toEqual([]);
      const all = (await collect(open().all())).map((account) => account.name);
      expect(all).toEqual(all.toSorted());
      expect(all).toEqual(expect.arrayContaining(names));
    });
  });
}
