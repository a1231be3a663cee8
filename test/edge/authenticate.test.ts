import { describe, expect, it } from 'vitest';
import { basicAuthentication } from '../../shared/edge/authenticate.ts';
import type { AdminSecret, Credentials } from '../../shared/store/admin-secret.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const basic = (text: string) => ({ headers: { authorization: `Basic ${encode(text)}` } });

/** A secret whose reads are counted, and a clock that the test moves. */
function aHouse(first: Credentials = { username: 'admin', password: 'se:cret✓' }) {
  let now = 0;
  let reads = 0;
  let current = first;
  const secret: AdminSecret = {
    read: async () => {
      reads += 1;
      return current;
    },
  };
  const clock = { now: () => now, sleep: async () => {} };
  return {
    authenticate: basicAuthentication(secret, async () => undefined, clock),
    reads: () => reads,
    advance: (milliseconds: number) => {
      now += milliseconds;
    },
    rotate: (password: string) => {
      current = { username: 'admin', password };
    },
  };
}

describe('HTTP Basic', () => {
  it.each([
    { why: 'user and password', authorization: `Basic ${encode('admin:se:cret✓')}` },
    { why: 'the scheme in lower case', authorization: `basic ${encode('admin:se:cret✓')}` },
    {
      why: 'the scheme in upper case and more blanks',
      authorization: `BASIC   ${encode('admin:se:cret✓')} `,
    },
  ])('lets $why pass', async ({ authorization }) => {
    await expect(aHouse().authenticate({ headers: { authorization } })).resolves.toEqual({
      name: 'admin',
      kind: 'admin',
      grants: [{ role: 'admin', on: '*' }],
    });
  });

  const wrong = 'unauthorized: wrong user name or password';
  const missing = 'unauthorized: send a user name and password by HTTP Basic';
  it.each([
    { why: 'a wrong password', authorization: `Basic ${encode('admin:secret')}`, message: wrong },
    { why: 'a password in other case', authorization: `Basic ${encode('admin:SE:CRET✓')}`, message: wrong },
    { why: 'a part of the password', authorization: `Basic ${encode('admin:se')}`, message: wrong },
    { why: 'an empty password', authorization: `Basic ${encode('admin:')}`, message: wrong },
    { why: 'another user', authorization: `Basic ${encode('root:se:cret✓')}`, message: wrong },
    { why: 'no user', authorization: `Basic ${encode(':se:cret✓')}`, message: wrong },
    { why: 'no credentials', authorization: 'Basic ', message: missing },
    { why: 'no colon', authorization: `Basic ${encode('admin')}`, message: missing },
    { why: 'what is no base64', authorization: 'Basic !!!', message: missing },
    { why: 'another scheme', authorization: `Bearer ${encode('admin:se:cret✓')}`, message: missing },
    { why: 'credentials without scheme', authorization: encode('admin:se:cret✓'), message: missing },
  ])('refuses $why', async ({ authorization, message }) => {
    const refused = expect(aHouse().authenticate({ headers: { authorization } })).rejects;
    await refused.toMatchObject({ code: 'unauthorized', message });
  });

  it.each([undefined, ''])('knows nobody by the header %j', async (authorization) => {
    await expect(aHouse().authenticate({ headers: { authorization } })).resolves.toBeUndefined();
  });

  it('reads the secret once in five minutes', async () => {
    const house = aHouse();
    for (const wait of [0, 1_000, 298_000]) {
      house.advance(wait);
      await house.authenticate(basic('admin:se:cret✓'));
    }
    expect(house.reads()).toBe(1);
    house.advance(2_000);
    await house.authenticate(basic('admin:se:cret✓'));
    expect(house.reads()).toBe(2);
  });

  it('never reads the secret for a request without credentials, or of another name', async () => {
    const house = aHouse();
    await house.authenticate({ headers: {} });
    await expect(house.authenticate(basic('root:se:cret✓'))).rejects.toThrow('unauthorized');
    expect(house.reads()).toBe(0);
  });

  it('lets a rotated password pass as soon as it is used', async () => {
    const house = aHouse();
    await house.authenticate(basic('admin:se:cret✓'));
    house.rotate('new');
    house.advance(10_000);
    await house.authenticate(basic('admin:new'));
    await expect(house.authenticate(basic('admin:se:cret✓'))).rejects.toThrow('unauthorized');
  });

  it('reads the secret at most once in ten seconds, however often somebody guesses', async () => {
    const house = aHouse();
    for (let guess = 0; guess < 100; guess += 1) {
      await expect(house.authenticate(basic(`admin:${guess}`))).rejects.toThrow('unauthorized');
      house.advance(200);
    }
    expect(house.reads()).toBe(2);
  });

  it('passes on that the secret cannot be read, which is no fault of the client', async () => {
    const unreadable = { read: () => Promise.reject(new Error('AccessDenied')) };
    const authenticate = basicAuthentication(unreadable, async () => undefined, {
      now: () => 0,
      sleep: async () => {},
    });
    await expect(authenticate(basic('admin:x'))).rejects.toThrow('AccessDenied');
  });
});
