import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  config,
  createCleartextMessage,
  createMessage,
  enums,
  generateKey,
  PacketList,
  type PrivateKey,
  readPrivateKey,
  reformatKey,
  revokeKey,
  SecretKeyPacket,
  Signature,
  SignaturePacket,
  type Subkey,
  sign,
} from 'openpgp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digestOf } from '../shared/domain/digest.ts';
import { parseKeyRing, verifySignature } from '../shared/signature.ts';
import { helmBinary } from './helm/binary.ts';
import { aHelm } from './helm/helm.ts';
import { aPackage } from './packages.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const fixture = (path: string): Buffer => readFileSync(join(fixtures, path));
const fixtureRing = () => parseKeyRing(fixture('keys/pubring.gpg').toString('base64'));
const FINGERPRINT = '465EA08483001662D491978B21097E11A9075CDC';

const TEXT = `apiVersion: v2
description: a chart
name: demo
keywords:
- one
version: 1.0.0

...
files:
  demo-1.0.0.tgz: sha256:${'ab'.repeat(32)}
`;

const DAY = 24 * 60 * 60;
const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY * 1000);

/** What the library takes to make a key. */
type KeyOptions = Partial<Omit<Parameters<typeof generateKey>[0], 'format'>>;

async function aKey(options: KeyOptions = {}): Promise<PrivateKey> {
  const { privateKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: 'Jane', email: 'jane@example.com' }],
    ...options,
    format: 'object',
  });
  return privateKey;
}

type Signing = { readonly date?: Date; readonly text?: string };

async function signed(keys: PrivateKey | PrivateKey[], { date, text = TEXT }: Signing = {}): Promise<string> {
  return await sign({
    message: await createCleartextMessage({ text: text.trimEnd() }),
    signingKeys: keys,
    ...(date === undefined ? {} : { date }),
  });
}

/** Signs the text with what no careful library would write: any hash, type, time or key. */
async function signedWith(
  key: PrivateKey,
  {
    with: signer = key,
    ...fields
  }: Partial<SignaturePacket> & { with?: PrivateKey | Subkey | undefined } = {},
): Promise<string> {
  const { packets } = await createMessage({ binary: Buffer.from(TEXT.trimEnd().replaceAll('\n', '\r\n')) });
  const signature = await signaturePacket(signer, packets[0], {
    signatureType: enums.signature.text,
    ...fields,
  });
  const list = new PacketList<SignaturePacket>();
  list.push(signature);
  const escaped = TEXT.trimEnd().replaceAll(/^-/gm, '- -');
  return `-----BEGIN PGP SIGNED MESSAGE-----\n\n${escaped}\n${new Signature(list).armor()}`;
}

async function signaturePacket(
  { keyPacket }: PrivateKey | Subkey,
  data: unknown,
  fields: Partial<SignaturePacket>,
): Promise<SignaturePacket> {
  const signature = new SignaturePacket();
  Object.assign(signature, {
    hashAlgorithm: enums.hash.sha512,
    publicKeyAlgorithm: keyPacket.algorithm,
    ...fields,
  });
  // The fifth argument is missing in the types, and needed; without salt, since it has none for SHA-1.
  const settings = { ...config, nonDeterministicSignaturesViaNotation: false };
  await Reflect.apply(signature.sign, signature, [
    keyPacket,
    data,
    fields.created ?? new Date(),
    true,
    settings,
  ]);
  return signature;
}

const ringOf = (...keys: readonly PrivateKey[]) =>
  parseKeyRing(keys.map((key) => key.toPublic().armor()).join('\n'));
const fingerprintOf = (key: PrivateKey): string => key.getFingerprint().toUpperCase();
const idOf = (key: PrivateKey): string => key.getKeyID().toHex().toUpperCase();
const verify = async (text: string | Uint8Array, ...keys: readonly PrivateKey[]) =>
  verifySignature(Buffer.from(text), await ringOf(...keys));
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ name: 'Fault', code, message: expect.stringMatching(message) });
const unsound = (message: RegExp) => refusal('invalid_provenance', message);
const noRing = (message: RegExp) => refusal('invalid_request', message);

describe('a key ring', () => {
  it('may be the base64 of a binary one', async () => {
    const { keys } = await fixtureRing();
    expect(keys).toMatchObject([
      { fingerprint: FINGERPRINT, userIds: ['chart-corpus (throwaway) <corpus@example.invalid>'] },
    ]);
  });

  it('may be several armoured blocks, of one key or of more, with text around them', async () => {
    const [one, two, three] = [await aKey(), await aKey(), await aKey()];
    const both = Buffer.concat([two.toPublic().write(), three.toPublic().write()]).toString('base64');
    const text = `Jane's:\r\n${one.toPublic().armor()}and two more\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${both}\n-----END PGP PUBLIC KEY BLOCK-----\nthe end`;
    const { keys } = await parseKeyRing(text);
    expect(keys.map(({ fingerprint }) => fingerprint)).toEqual([one, two, three].map(fingerprintOf));
    expect(keys.map(({ userIds }) => userIds)).toEqual(Array(3).fill(['Jane <jane@example.com>']));
  });

  it('holds a key once that comes twice, with what became of it', async () => {
    const key = await aKey();
    const { publicKey: revoked } = await revokeKey({ key, format: 'object' });
    const ring = await parseKeyRing(`${key.toPublic().armor()}${revoked.armor()}`);
    expect(ring.keys).toHaveLength(1);
    await expect(verifySignature(Buffer.from(await signed(key)), ring)).rejects.toEqual(unsound(/revoked/));
  });

  it.each([
    ['nothing', async () => ' \n', /it is empty/],
    ['some other text', async () => 'my key: 1234', /neither an armoured public key nor base64/],
    [
      'base64 of something else',
      async () => Buffer.from('hello, world').toString('base64'),
      /cannot be read/,
    ],
    [
      'a binary private key',
      async () => fixture('keys/readme-secring.gpg').toString('base64'),
      /a private key/,
    ],
    ['an armoured private key', async () => (await aKey()).armor(), /a private key/],
    [
      'an indented private key beside a public one',
      async () => {
        const key = await aKey();
        return `${key.toPublic().armor()}${key.armor().replaceAll(/^/gm, '  ')}`;
      },
      /a private key/,
    ],
    [
      'a private key under the name of a public one',
      async () => (await aKey()).armor().replaceAll('PRIVATE', 'PUBLIC'),
      /a private key/,
    ],
    ['half a key', async () => (await aKey()).toPublic().armor().slice(0, 300), /breaks off/],
    [
      'a broken key',
      async () =>
        (await aKey())
          .toPublic()
          .armor()
          .replace(/(BLOCK-----\s+.{20}).{20}/, '$1'),
      /cannot be read/,
    ],
    ['a block without a key', async () => armored(await aKey()), /cannot be read: No key packet/],
    [
      'a provenance file',
      async () => fixture('charts/mailhog-5.8.0.tgz.prov').toString(),
      /no "PGP PUBLIC KEY/,
    ],
    [
      'no block at the begin of a line',
      async () => '> -----BEGIN PGP PUBLIC KEY BLOCK-----',
      /no line begins/,
    ],
    ['a keybox', async () => Buffer.from('\0\0\0 \x01\x01\0\x02KBXf and so on').toString('base64'), /keybox/],
    ['more than 256 KB', async () => 'A'.repeat(256 * 1024 + 1), /larger than 262144 bytes/],
  ])('of %s is refused, with the way to export one', async (_what, text, message) => {
    await expect(parseKeyRing(await text())).rejects.toEqual(noRing(message));
    await expect(parseKeyRing(await text())).rejects.toEqual(noRing(/gpg --armor --export/));
  });
});

/** A public key block with the user id alone. */
function armored(key: PrivateKey): string {
  const [user] = key.users;
  const id = Buffer.from(user?.toPacketList().write() ?? []).toString('base64');
  return `-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n${id}\n-----END PGP PUBLIC KEY BLOCK-----\n`;
}

describe('the signature of a provenance file', () => {
  const signedFixtures = readdirSync(join(fixtures, 'charts')).filter((file) => file.endsWith('.prov'));
  it.each([
    ...signedFixtures.map((file) => `charts/${file}`),
    'bad/other-chart.tgz.prov', // what they say is wrong, and signed
    'bad/wrong-digest.tgz.prov',
  ])('%s is verified', async (file) => {
    expect(await verifySignature(fixture(file), await fixtureRing())).toEqual({ fingerprint: FINGERPRINT });
  });

  it('by a key with SHA-1 in its own signatures, as GnuPG 1 made them, is verified', async () => {
    const key = await aKey({ type: 'rsa', rsaBits: 2048 });
    for (const user of key.users) {
      const certification = await signaturePacket(
        key,
        { userID: user.userID, key: key.keyPacket },
        {
          signatureType: enums.signature.certPositive,
          hashAlgorithm: enums.hash.sha1,
          keyFlags: Uint8Array.of(enums.keyFlags.certifyKeys | enums.keyFlags.signData),
        },
      );
      user.selfCertifications = [certification];
    }
    expect(await verify(await signedWith(key), key)).toEqual({ fingerprint: fingerprintOf(key) });
  });

  it('does not fit a text that was changed', async () => {
    const tampered = fixture('bad/tampered.tgz.prov');
    await expect(verifySignature(tampered, await fixtureRing())).rejects.toEqual(
      unsound(/not what key 21097E11A9075CDC signed: it was changed/),
    );
  });

  it('of another key than those of the ring is refused by its id', async () => {
    const ring = await parseKeyRing(fixture('keys/readme-pubring.gpg').toString('base64'));
    await expect(verifySignature(fixture('charts/mailhog-5.8.0.tgz.prov'), ring)).rejects.toEqual(
      unsound(/signed by key 21097E11A9075CDC, which is not in the repository's key ring/),
    );
  });

  it.each<[string, KeyOptions]>([
    ['Ed25519 as GnuPG 2 makes it', { curve: 'ed25519Legacy' }],
    ['Ed25519 as RFC 9580 has it', { type: 'curve25519' }],
    ['ECDSA', { curve: 'nistP256' }],
    ['RSA with 3072 bits', { type: 'rsa', rsaBits: 3072 }],
    ['version 6', { type: 'curve25519', config: { v6Keys: true } }],
    ['a subkey', { subkeys: [{ sign: true }] }],
  ])('by a key of the kind %s is verified', async (_kind, options) => {
    const key = await aKey(options);
    expect(await verify(await signed(key), await aKey(), key)).toEqual({ fingerprint: fingerprintOf(key) });
  });

  it.each([
    ['SHA-256', enums.hash.sha256],
    ['SHA-512', enums.hash.sha512],
  ])('over %s is verified', async (_hash, hashAlgorithm) => {
    const key = await aKey();
    expect(await verify(await signedWith(key, { hashAlgorithm }), key)).toEqual({
      fingerprint: fingerprintOf(key),
    });
  });

  it('does not count line ends, blanks before them, and what follows', async () => {
    const key = await aKey();
    const text = (await signed(key)).replaceAll('\r\n', '\n');
    for (const same of [
      text.replaceAll('\n', '\r\n'),
      text.replace('version: 1.0.0\n', 'version: 1.0.0 \t\n'),
      `${text}\nname: other\nversion: 9.9.9\n`,
      text.replace(/^Hash: .*\n/m, ''),
    ]) {
      expect(await verify(same, key)).toEqual({ fingerprint: fingerprintOf(key) });
    }
  });

  it('counts every line that is read', async () => {
    const key = await aKey();
    const text = (await signed(key)).replaceAll('\r\n', '\n');
    for (const other of [
      text.replace('name: demo', 'name: other'),
      text.replace('- - one', '- one'),
      text.replace('\n\n', '\n\nname: other\n'),
      text.replace('\n-----BEGIN PGP SIGNATURE', '\n\n-----BEGIN PGP SIGNATURE'),
    ]) {
      expect(other).not.toBe(text);
      await expect(verify(other, key)).rejects.toEqual(unsound(/it was changed afterwards/));
    }
  });

  it('is of the first message, as for Helm', async () => {
    const [jane, mallory] = [await aKey(), await aKey()];
    const forged = `${await signed(mallory, { text: TEXT.replace('demo', 'evil') })}\n${await signed(jane)}`;
    await expect(verify(forged, jane)).rejects.toEqual(unsound(new RegExp(`by key ${idOf(mallory)}`)));
  });

  it('is enough if one of several is of a key of the ring', async () => {
    const [one, two] = [await aKey(), await aKey()];
    expect(await verify(await signed([one, two]), two)).toEqual({ fingerprint: fingerprintOf(two) });
  });

  it('by a key that has expired since is refused, as by Helm', async () => {
    const key = await aKey({ date: daysAgo(3), keyExpirationTime: 2 * DAY });
    const text = await signed(key, { date: daysAgo(2) });
    await expect(verify(text, key)).rejects.toEqual(
      unsound(new RegExp(`key ${fingerprintOf(key)}, which signed it, has expired`)),
    );
  });

  it('by a key that has been extended since is verified, as by Helm', async () => {
    const key = await aKey({ date: daysAgo(3), keyExpirationTime: 2 * DAY });
    const text = await signed(key, { date: daysAgo(2) });
    const { privateKey: extended } = await reformatKey({
      privateKey: await readPrivateKey({ binaryKey: key.write() }),
      userIDs: [{ name: 'Jane' }],
      format: 'object',
    });
    expect(await verify(text, extended)).toEqual({ fingerprint: fingerprintOf(key) });
  });

  it('by a key that has been revoked since is refused', async () => {
    const key = await aKey();
    const text = await signed(key);
    const { privateKey: revoked } = await revokeKey({ key, format: 'object' });
    await expect(verify(text, revoked)).rejects.toEqual(unsound(/which signed it, has been revoked/));
  });

  it('by a subkey that has expired or been revoked since is refused', async () => {
    const expired = await aKey({ date: daysAgo(3), subkeys: [{ sign: true, keyExpirationTime: 2 * DAY }] });
    const text = await signed(expired, { date: daysAgo(2) });
    await expect(verify(text, expired)).rejects.toEqual(unsound(/has expired/));

    const key = await aKey({ subkeys: [{ sign: true }] });
    const [subkey] = key.subkeys;
    const other = await signed(key);
    if (subkey === undefined || !(key.keyPacket instanceof SecretKeyPacket)) throw new Error('no subkey');
    key.subkeys = [await subkey.revoke(key.keyPacket)];
    await expect(verify(other, key)).rejects.toEqual(unsound(/has been revoked/));
  });

  it('by a subkey for encryption is refused', async () => {
    const key = await aKey({ type: 'rsa', rsaBits: 2048 });
    const [subkey] = key.subkeys;
    await expect(verify(await signedWith(key, { with: subkey }), key)).rejects.toEqual(
      unsound(/may not sign/),
    );
  });

  it.each<[string, Partial<SignaturePacket>, RegExp]>([
    ['that covers no text', { signatureType: enums.signature.standalone }, /a type that signs no text/],
    ['over SHA-1', { hashAlgorithm: enums.hash.sha1 }, /Insecure message hash algorithm: SHA1/],
    ['from the future', { created: daysAgo(-1) }, /in the future/],
    [
      'that has expired',
      { created: daysAgo(2), signatureExpirationTime: DAY, signatureNeverExpires: false },
      /is expired/,
    ],
  ])('%s is refused', async (_what, fields, message) => {
    const key = await aKey({ type: 'rsa', rsaBits: 2048, date: daysAgo(3) });
    await expect(verify(await signedWith(key, fields), key)).rejects.toEqual(unsound(message));
  });

  it.each([
    ['is no base64', (text: string) => text.replace(/(SIGNATURE-----\n\n)[^\n]{12}/, '$1%%%%%%%%%%%%')],
    ['is empty', (text: string) => text.replace(/(BEGIN PGP SIGNATURE-----\n\n)[^-]*/, '$1')],
    ['holds something else', (text: string) => text.replace(/(SIGNATURE-----\n\n)[^-]*/, '$1AAAA\n')],
    ['is cut', (text: string) => text.replace(/(SIGNATURE-----\n\n[^\n]{40})[^-]*/, '$1\n')],
  ])('whose armour %s is refused', async (_what, broken) => {
    const file = fixture('charts/mailhog-5.8.0.tgz.prov').toString();
    expect(broken(file)).not.toBe(file);
    await expect(verifySignature(Buffer.from(broken(file)), await fixtureRing())).rejects.toEqual(
      unsound(/the block PGP SIGNATURE/),
    );
  });

  it('is not looked for in what is no provenance file', async () => {
    await expect(verifySignature(fixture('bad/garbage.tgz.prov'), await fixtureRing())).rejects.toEqual(
      unsound(/^not a provenance file/),
    );
    await expect(verifySignature(Buffer.alloc(256 * 1024 + 1), await fixtureRing())).rejects.toEqual(
      unsound(/larger than 262144 bytes/),
    );
  });
});

describe.skipIf(helmBinary() === undefined)('helm package --sign', () => {
  it.each<[string, KeyOptions]>([
    ['RSA', { type: 'rsa', rsaBits: 3072 }],
    ['ECDSA', { curve: 'nistP256' }],
  ])('with a key of the kind %s signs what is verified, by us and by helm verify', async (_kind, options) => {
    const helm = await aHelm();
    onTestFinished(helm.remove);
    const key = await aKey({ ...options, subkeys: [] });
    await writeFile(join(helm.folder, 'secring.gpg'), key.write());
    await writeFile(join(helm.folder, 'pubring.gpg'), key.toPublic().write());
    await helm.helm('create', 'demo');
    await helm.helm('package', 'demo', '--sign', '--key', 'Jane', '--keyring', 'secring.gpg');
    const file = join(helm.folder, 'demo-0.1.0.tgz');
    await helm.helm('verify', file, '--keyring', 'pubring.gpg');
    const ring = await parseKeyRing(readFileSync(join(helm.folder, 'pubring.gpg')).toString('base64'));
    expect(await verifySignature(readFileSync(`${file}.prov`), ring)).toEqual({
      fingerprint: fingerprintOf(key),
    });
  });

  it('and our signer agree: helm verify takes what we take', async () => {
    const helm = await aHelm();
    onTestFinished(helm.remove);
    const key = await aKey({ type: 'rsa', rsaBits: 2048 });
    const bytes = await aPackage();
    const text = TEXT.replace('ab'.repeat(32), digestOf(bytes));
    await writeFile(join(helm.folder, 'pubring.gpg'), key.toPublic().write());
    await writeFile(join(helm.folder, 'demo-1.0.0.tgz'), bytes);
    for (const [prov, good] of [
      [await signed(key, { text }), true],
      [`${await signed(key, { text })}\nname: other\n`, true],
      [(await signed(key, { text })).replace('a chart', 'another'), false],
      [await signed(await aKey({ type: 'rsa', rsaBits: 2048 }), { text }), false],
    ] as const) {
      await writeFile(join(helm.folder, 'demo-1.0.0.tgz.prov'), prov);
      const { ok } = await helm.tryHelm('verify', 'demo-1.0.0.tgz', '--keyring', 'pubring.gpg');
      const ours = await verify(prov, key).then(
        () => true,
        () => false,
      );
      expect({ ok, ours }).toEqual({ ok: good, ours: good });
    }
  });
});
