import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  accountAuthentication,
  type CredentialDependencies,
  type Credentials,
} from '../shared/account-credentials.ts';
import { createSecret, putAccount } from '../shared/accounts.ts';
import { parseAccountName } from '../shared/domain/account.ts';
import { failureLimit } from '../shared/failure-limit.ts';
import { memoryAccounts } from './store/memory-accounts.ts';
import { memoryFailures } from './store/memory-failures.ts';
import { somebody } from './store/records.ts';

const ada = parseAccountName('ada');
const ci = parseAccountName('ci');

/** A user and a robot, a clock that the test moves, and what the slow check was asked. */
async function aHouse(
  change: (dependencies: CredentialDependencies) => Partial<CredentialDependencies> = () => ({}),
) {
  const accounts = memoryAccounts();
  const clock = { now: () => now };
  let now = Date.parse('2026-01-02T03:04:05.678Z');
  const making = {
    accounts,
    clock,
    newId: randomUUID,
    hashPassword: async (password: string) => `hash of ${password}`,
  };
  await putAccount(making, ada, { kind: 'user', grants: [], password: 'a password' }, somebody);
  await putAccount(making, ci, { kind: 'robot', grants: [] }, somebody);
  const { secret } = await createSecret(making, ci, 1, somebody);
  const checked: (string | undefined)[] = [];
  const reported: string[] = [];
  const wrong: string[] = [];
  const report = (message: string, error: unknown) => void reported.push(`${message}: ${error}`);
  const dependencies: CredentialDependencies = {
    accounts,
    clock,
    limit: failureLimit({ failures: memoryFailures(), clock, report }),
    verifyPassword: async (password, hash) => {
      checked.push(hash);
      return hash === `hash of ${password}`;
    },
    wasWrong: (name) => void wrong.push(name),
    report,
  };
  const authenticateFrom = accountAuthentication({ ...dependencies, ...change(dependencies) });
  const authenticate = (given: Credentials, address = '192.0.2.1') => authenticateFrom(given, address);
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return { authenticate, secret, checked, reported, wrong, advance };
}

describe('the credentials of an account', () => {
  it('are checked once in a minute', async () => {
    const { authenticate, checked, advance } = await aHouse();
    const given = { username: 'ada', password: 'a password' };
    for (const wait of [0, 30_000, 29_999]) {
      advance(wait);
      expect(await authenticate(given)).toEqual({ name: 'ada', kind: 'user', grants: [] });
    }
    expect(checked).toHaveLength(1);
    advance(1);
    await authenticate(given);
    expect(checked).toHaveLength(2);
  });

  it('are not remembered for another password, nor when they are wrong', async () => {
    const { authenticate, checked } = await aHouse();
    await authenticate({ username: 'ada', password: 'a password' });
    for (let guess = 0; guess < 2; guess += 1) {
      expect(await authenticate({ username: 'ada', password: 'wrong' })).toBeUndefined();
    }
    expect(checked).toHaveLength(3);
  });

  it('take the same slow check when they are wrong, whoever is named', async () => {
    const { authenticate, checked, secret, advance } = await aHouse();
    const others = ['ci', 'nobody', 'No Name', '', 'robot$ci', 'robot$ada', 'robot$nobody', 'robot$'];
    for (const username of ['ada', ...others]) {
      expect(await authenticate({ username, password: 'wrong' })).toBeUndefined();
    }
    expect(checked).toEqual(['hash of a password', ...others.map(() => undefined)]);
    advance(24 * 60 * 60 * 1000);
    expect(await authenticate({ username: 'ci', password: secret })).toBeUndefined();
    expect(checked).toHaveLength(10);
  });

  it('that are wrong are told by the name of an account that there is, and by no other', async () => {
    const { authenticate, secret, wrong } = await aHouse();
    await authenticate({ username: 'ada', password: 'a password' });
    await authenticate({ username: 'ci', password: secret });
    for (const username of ['a password', secret, 'nobody', 'robot$ada', 'robot$', '']) {
      await authenticate({ username, password: 'wrong' });
    }
    expect(wrong).toEqual([]);
    for (const username of ['ada', 'ci', 'robot$ci']) await authenticate({ username, password: 'wrong' });
    expect(wrong).toEqual(['ada', 'ci', 'ci']);
  });

  it('of a robot need no slow check when they are right', async () => {
    const { authenticate, checked, secret } = await aHouse();
    expect(await authenticate({ username: 'ci', password: secret })).toMatchObject({ kind: 'robot' });
    expect(checked).toEqual([]);
  });

  it('of a robot come under the name that Harbor’s clients give it, too', async () => {
    const { authenticate, checked, secret } = await aHouse();
    const robot = { name: 'ci', kind: 'robot', grants: [] };
    for (let each = 0; each < 2; each += 1) {
      expect(await authenticate({ username: 'robot$ci', password: secret })).toEqual(robot);
    }
    expect(checked).toEqual([]);
  });

  it('of a user do not, right as they are: they are as wrong as those of nobody', async () => {
    const { authenticate, checked } = await aHouse();
    const given = { username: 'ada', password: 'a password' };
    expect(await authenticate(given)).toBeDefined();
    for (const username of ['robot$ada', 'robot$robot$ci', 'Robot$ci', 'robot$']) {
      expect(await authenticate({ ...given, username })).toBeUndefined();
    }
    expect(checked).toEqual(['hash of a password', undefined, undefined, undefined, undefined]);
  });

  it.each(['ada', 'ci', 'nobody'])('are counted once for both names of %s', async (username) => {
    const { authenticate, checked } = await aHouse();
    const names = [username, `robot$${username}`];
    for (let each = 0; each < 20; each += 1) {
      await authenticate({ username: names[each % 2] ?? '', password: 'wrong' });
    }
    for (const name of names) {
      const guess = authenticate({ username: name, password: 'wrong' });
      await expect(guess).rejects.toMatchObject({ code: 'too_many_failures' });
    }
    expect(checked).toHaveLength(20);
  });

  it('are right though their use cannot be noted, which is told', async () => {
    const { authenticate, secret, reported } = await aHouse(({ accounts }) => ({
      accounts: { ...accounts, used: () => Promise.reject(new Error('throttled')) },
    }));
    expect(await authenticate({ username: 'ci', password: secret })).toMatchObject({ name: 'ci' });
    expect(reported).toEqual(['the use of a secret could not be noted: Error: throttled']);
  });

  it('are no longer remembered than a robot’s secret lives', async () => {
    const { authenticate, secret, advance } = await aHouse();
    advance(24 * 60 * 60 * 1000 - 1);
    expect(await authenticate({ username: 'ci', password: secret })).toBeDefined();
    advance(1);
    expect(await authenticate({ username: 'ci', password: secret })).toBeUndefined();
  });

  it('are forgotten rather than gathered without end', async () => {
    const { authenticate, checked } = await aHouse(({ verifyPassword }) => ({
      verifyPassword: async (password, hash) => {
        await verifyPassword(password, hash);
        return true;
      },
    }));
    for (let each = 0; each <= 1000; each += 1)
      await authenticate({ username: 'ada', password: String(each) });
    await authenticate({ username: 'ada', password: '0' });
    expect(checked).toHaveLength(1002);
  });

  it.each(['ada', 'ci', 'nobody', 'No Name'])(
    'are refused without a check after many wrong ones: %s',
    async (username) => {
      const { authenticate, checked } = await aHouse();
      const guess = () => authenticate({ username, password: 'wrong' });
      for (let each = 0; each < 20; each += 1) expect(await guess()).toBeUndefined();
      await expect(guess()).rejects.toMatchObject({ code: 'too_many_failures', retryAfterSeconds: 301 });
      expect(checked).toHaveLength(20);
    },
  );

  it('that are right are refused too after many wrong ones, but not from elsewhere, nor where they are remembered', async () => {
    const { authenticate, secret, advance } = await aHouse();
    const right = [
      { username: 'ada', password: 'a password' },
      { username: 'ci', password: secret },
    ];
    for (const given of right) {
      const guess = { ...given, password: 'wrong' };
      await authenticate(given, '192.0.2.2');
      for (let each = 0; each < 20; each += 1) await authenticate(guess);
      await expect(authenticate(guess)).rejects.toMatchObject({ code: 'too_many_failures' });
      expect(await authenticate(given)).toMatchObject({ name: given.username });
    }
    advance(60_000);
    for (const given of right) {
      await expect(authenticate(given)).rejects.toMatchObject({ code: 'too_many_failures' });
      expect(await authenticate(given, '192.0.2.2')).toMatchObject({ name: given.username });
    }
    advance(241_000);
    for (const given of right) expect(await authenticate(given)).toMatchObject({ name: given.username });
  });
});
