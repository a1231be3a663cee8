import { describe, expect, it } from 'vitest';
import { hashPassword, verifyPassword } from '../shared/password.ts';

describe('a password', () => {
  it("is kept as scrypt at OWASP's cost, with a salt of its own", async () => {
    const [one, other] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')]);
    expect(one).toMatch(/^\$scrypt\$ln=17,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
    expect(await verifyPassword('correct horse', one)).toBe(true);
    expect(await verifyPassword('correct horsf', one)).toBe(false);
    expect(await verifyPassword('', one)).toBe(false);
  });

  it('is known by a hash that was made at another cost', async () => {
    // RFC 7914, 12: the third vector, of which the first 32 bytes are kept.
    const salt = Buffer.from('SodiumChloride').toString('base64').replaceAll('=', '');
    const hash = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex');
    const stored = `$scrypt$ln=14,r=8,p=1$${salt}$${hash.toString('base64').replaceAll('=', '')}`;
    expect(await verifyPassword('pleaseletmein', stored)).toBe(true);
  });

  it('is nobody’s where there is no hash', async () => {
    expect(await verifyPassword('', undefined)).toBe(false);
  });

  it('is not compared with what is no hash', async () => {
    await expect(verifyPassword('x', 'plain')).rejects.toThrow('no hash of a password');
  });
});
