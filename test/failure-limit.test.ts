import { describe, expect, it } from 'vitest';
import { type FailureDependencies, failureLimit } from '../shared/failure-limit.ts';
import { memoryFailures } from './store/memory-failures.ts';

/** A limit over a memory store, a clock that the test moves, and what was told. */
function aLimit(change: Partial<FailureDependencies['failures']> = {}) {
  let now = Date.parse('2026-01-02T03:04:05.678Z');
  const reported: string[] = [];
  const limit = failureLimit({
    failures: { ...memoryFailures(), ...change },
    clock: { now: () => now },
    report: (message, error) => void reported.push(`${message}: ${error}`),
  });
  const fail = async (times: number, account = 'ada', address = '192.0.2.1') => {
    for (let each = 0; each < times; each += 1) await limit.failed(account, address);
  };
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return { ...limit, fail, advance, reported };
}

describe('the limit of wrong passwords', () => {
  it('refuses after twenty of them, and says for how long', async () => {
    const { check, fail, advance } = aLimit();
    await fail(19);
    await expect(check('ada', '192.0.2.1')).resolves.toBeUndefined();
    advance(60_000);
    await fail(1);
    await expect(check('ada', '192.0.2.1')).rejects.toMatchObject({
      code: 'too_many_failures',
      // Counted to the whole second after.
      retryAfterSeconds: 241,
      message: expect.stringContaining('wait 241 s'),
    });
  });

  it('ends five minutes after the first of them', async () => {
    const { check, fail, advance } = aLimit();
    await fail(20);
    advance(299_999);
    await expect(check('ada', '192.0.2.1')).rejects.toMatchObject({ retryAfterSeconds: 1 });
    advance(1_000);
    await expect(check('ada', '192.0.2.1')).resolves.toBeUndefined();
    await fail(19);
    await expect(check('ada', '192.0.2.1')).resolves.toBeUndefined();
  });

  it.each([
    { what: 'another account', account: 'bob', address: '192.0.2.1' },
    { what: 'another address', account: 'ada', address: '192.0.2.2' },
    { what: 'a name and address that join to the same text', account: 'ada192', address: '.0.2.1' },
  ])('is not that of $what', async ({ account, address }) => {
    const { check, fail } = aLimit();
    await fail(20);
    await expect(check(account, address)).resolves.toBeUndefined();
  });

  it('is one for the addresses that one customer may take', async () => {
    const { check, fail } = aLimit();
    await fail(10, 'ada', '2001:db8:1:2::1');
    await fail(10, 'ada', '2001:db8:1:2:ffff::2');
    await expect(check('ada', '2001:db8:1:2::3')).rejects.toMatchObject({ code: 'too_many_failures' });
    await expect(check('ada', '2001:db8:1:3::1')).resolves.toBeUndefined();
  });

  it('is the same for names of no account, however they look', async () => {
    const { check, fail } = aLimit();
    for (const name of ['nobody', 'No Name', '', '#'.repeat(10_000)]) {
      await fail(20, name);
      await expect(check(name, '192.0.2.1')).rejects.toMatchObject({ code: 'too_many_failures' });
    }
  });

  it('refuses nobody where the table cannot be asked, and tells', async () => {
    const broken = () => Promise.reject(new Error('throttled'));
    const { check, fail, reported } = aLimit({ get: broken, add: broken });
    await fail(1);
    await expect(check('ada', '192.0.2.1')).resolves.toBeUndefined();
    expect(reported).toEqual([
      'a wrong password could not be counted: Error: throttled',
      'the wrong passwords could not be counted: Error: throttled',
    ]);
  });
});
