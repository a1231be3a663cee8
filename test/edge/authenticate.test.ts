import { describe, expect, it } from 'vitest';
import type { Caller } from '../../shared/domain/access.ts';
import { basicAuthentication } from '../../shared/edge/authenticate.ts';

const address = '192.0.2.1';

const encode = (text: string) => Buffer.from(text).toString('base64');

const ada: Caller = { name: 'ada', kind: 'user', grants: [] };

/** Knows one account. */
const authenticate = basicAuthentication(async ({ username, password }) =>
  username === 'ada' && password === 'se:cret✓' ? ada : undefined,
);

describe('HTTP Basic', () => {
  it.each([
    { why: 'user and password', authorization: `Basic ${encode('ada:se:cret✓')}` },
    { why: 'the scheme in lower case', authorization: `basic ${encode('ada:se:cret✓')}` },
    {
      why: 'the scheme in upper case and more blanks',
      authorization: `BASIC   ${encode('ada:se:cret✓')} `,
    },
  ])('lets $why pass', async ({ authorization }) => {
    await expect(authenticate({ headers: { authorization }, address })).resolves.toEqual(ada);
  });

  const wrong = 'unauthorized: wrong user name or password';
  const missing = 'unauthorized: send a user name and password by HTTP Basic';
  it.each([
    { why: 'a wrong password', authorization: `Basic ${encode('ada:secret')}`, message: wrong },
    { why: 'a password in other case', authorization: `Basic ${encode('ada:SE:CRET✓')}`, message: wrong },
    { why: 'a part of the password', authorization: `Basic ${encode('ada:se')}`, message: wrong },
    { why: 'an empty password', authorization: `Basic ${encode('ada:')}`, message: wrong },
    { why: 'another user', authorization: `Basic ${encode('root:se:cret✓')}`, message: wrong },
    { why: 'no user', authorization: `Basic ${encode(':se:cret✓')}`, message: wrong },
    { why: 'no credentials', authorization: 'Basic ', message: missing },
    { why: 'no colon', authorization: `Basic ${encode('ada')}`, message: missing },
    { why: 'what is no base64', authorization: 'Basic !!!', message: missing },
    { why: 'another scheme', authorization: `Bearer ${encode('ada:se:cret✓')}`, message: missing },
    { why: 'credentials without scheme', authorization: encode('ada:se:cret✓'), message: missing },
  ])('refuses $why', async ({ authorization, message }) => {
    const code = message === wrong ? 'wrong_credentials' : 'unauthorized';
    const refused = expect(authenticate({ headers: { authorization }, address })).rejects;
    await refused.toMatchObject({ code, message });
  });

  it.each([undefined, ''])('knows nobody by the header %j', async (authorization) => {
    await expect(authenticate({ headers: { authorization }, address })).resolves.toBeUndefined();
  });

  it('passes on that an account cannot be read, which is no fault of the client', async () => {
    const failing = basicAuthentication(() => Promise.reject(new Error('throttled')));
    const headers = { authorization: `Basic ${encode('ada:x')}` };
    await expect(failing({ headers, address })).rejects.toThrow('throttled');
  });
});
