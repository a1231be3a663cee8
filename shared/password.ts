import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

// What OWASP asks for (Password Storage Cheat Sheet, scrypt): 128 MiB, and a good third of a second of one CPU.
const COST = { log2: 17, r: 8, p: 1 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

const derive = (password: string, salt: Buffer, log2: number, r: number, p: number) => {
  const N = 2 ** log2;
  const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(password, salt, HASH_BYTES, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
};

/** @returns `$scrypt$ln=…,r=…,p=…$salt$hash` (the PHC string format), with a salt of its own */
export async function hashPassword(password: string): Promise<string> {
  const { log2, r, p } = COST;
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, log2, r, p);
  return `$scrypt$ln=${log2},r=${r},p=${p}$${encode(salt)}$${encode(hash)}`;
}

const encode = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

const NOBODY = `$scrypt$ln=${COST.log2},r=${COST.r},p=${COST.p}$${encode(Buffer.alloc(SALT_BYTES))}$${encode(Buffer.alloc(HASH_BYTES))}`;

export type VerifyPassword = (password: string, hash: string | undefined) => Promise<boolean>;

/**
 * Whether a password is the one that a hash was made of.
 *
 * @param hash what {@link hashPassword} gave; undefined takes as long, and is false
 * @throws Error if it is something else
 */
export const verifyPassword: VerifyPassword = async (password, hash) => {
  const stored = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash ?? NOBODY);
  if (stored === null) throw new Error('what is stored is no hash of a password');
  const [, log2 = '', r = '', p = '', salt = '', expected = ''] = stored;
  const given = await derive(password, Buffer.from(salt, 'base64'), Number(log2), Number(r), Number(p));
  return timingSafeEqual(given, Buffer.from(expected, 'base64')) && hash !== undefined;
};
