import type { Key, SignaturePacket, Subkey } from 'openpgp';
import { Fault } from './domain/fault.ts';
import { parseClearSigned } from './domain/provenance.ts';

/** Public keys that somebody trusts to sign charts. */
export type KeyRing = { readonly keys: readonly RingKey[] };

type RingKey = {
  /** Of the primary key: hexadecimal digits in capitals, as `gpg` and `helm verify` show them. */
  readonly fingerprint: string;
  /** Such as `Jane <jane@example.com>`. */
  readonly userIds: readonly string[];
  /** The key itself, for {@link verifySignature}. */
  readonly key: Key;
};

// Some dozens of keys with all the signatures that others put on them.
const MAX_RING_BYTES = 256 * 1024;

/**
 * Reads a key ring: one or more armoured public key blocks, with any text around them, or the base64 of a binary ring
 * such as `gpg --export` writes and `helm verify --keyring` reads. A key that comes twice is one key, with the
 * signatures of both, so a revocation may simply be added at the end.
 *
 * @throws Fault `invalid_request` if it is too large, cannot be read, or holds a private key or no key at all
 */
export async function parseKeyRing(text: string): Promise<KeyRing> {
  if (Buffer.byteLength(text) > MAX_RING_BYTES) {
    throw refused(`it is larger than ${MAX_RING_BYTES} bytes: leave out keys that sign no charts`);
  }
  const keys = new Map<string, Key>();
  for (const ring of text.includes('-----BEGIN ') ? armoredRings(text) : [binaryRing(text)]) {
    for (const key of await readPublicKeys(ring)) {
      const known = keys.get(key.getFingerprint());
      keys.set(key.getFingerprint(), known === undefined ? key : await known.update(key));
    }
  }
  return {
    keys: [...keys.values()].map((key) => ({
      fingerprint: fingerprintOf(key),
      userIds: key.getUserIDs(),
      key,
    })),
  };
}

type Ring = { readonly armoredKeys: string } | { readonly binaryKeys: Uint8Array };

function armoredRings(text: string): Ring[] {
  // Wherever it stands, indented or quoted: the text may be stored as it is.
  if (text.includes('PRIVATE KEY BLOCK')) throw privateKey();
  const rings: Ring[] = [];
  for (const part of text.split(/^(?=-----BEGIN )/m)) {
    const [, kind] = /^-----BEGIN ([^\r\n]*?)-----/.exec(part) ?? [];
    if (kind === undefined) continue; // the text above the first block
    if (kind !== 'PGP PUBLIC KEY BLOCK') throw refused('it holds a block that is no "PGP PUBLIC KEY BLOCK"');
    const footer = `-----END ${kind}-----`;
    const end = part.indexOf(footer);
    if (end === -1) throw refused(`a block breaks off before "${footer}"`);
    rings.push({ armoredKeys: `${part.slice(0, end)}${footer}\n` });
  }
  if (rings.length === 0) throw refused('no line begins with "-----BEGIN PGP PUBLIC KEY BLOCK-----"');
  return rings;
}

function binaryRing(text: string): Ring {
  const digits = text.replaceAll(/\s/g, '');
  if (digits === '') throw refused('it is empty');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(digits)) {
    throw refused('it is neither an armoured public key nor base64 of a binary one');
  }
  const bytes = Buffer.from(digits, 'base64');
  // What GnuPG keeps keys in since 2.1, and neither Helm nor anybody else reads.
  if (bytes.subarray(8, 12).toString() === 'KBXf') throw refused('it is a keybox, which only GnuPG reads');
  return { binaryKeys: bytes };
}

async function readPublicKeys(ring: Ring): Promise<Key[]> {
  const { readKeys, SecretKeyPacket, SecretSubkeyPacket } = await loadOpenPgp();
  let keys: Key[];
  try {
    keys = await ('armoredKeys' in ring ? readKeys(ring) : readKeys(ring));
  } catch (error) {
    throw refused(`it cannot be read: ${messageOf(error)}`, error);
  }
  const packets = keys.flatMap((key) => [...key.toPacketList()]);
  if (packets.some((packet) => packet instanceof SecretKeyPacket || packet instanceof SecretSubkeyPacket)) {
    throw privateKey();
  }
  return keys;
}

/**
 * Verifies the signature of a provenance file, and nothing that the file says.
 *
 * It decides as `helm verify` does (ProtonMail/go-crypto, `openpgp.CheckDetachedSignature`): of several signatures the
 * first by a key of the ring counts; that key must be good now, so an expired or revoked one is refused, whenever it
 * signed; and what has expired may be extended by a newer self-signature. Unlike Helm, it refuses what is broken or too
 * short by now: SHA-1 and MD5 over the text, DSA, and RSA below 2,047 bits. SHA-1 in a key's own self-signatures, as
 * GnuPG 1 made them, is accepted.
 *
 * @returns the fingerprint of the primary key that vouches for the signature, as the ring tells it
 * @throws Fault `invalid_provenance`
 */
export async function verifySignature(
  provenance: Uint8Array,
  ring: KeyRing,
): Promise<{ fingerprint: string }> {
  const { lines, signature: armored } = parseClearSigned(provenance);
  const signatures = await readSignatures(armored);
  for (const signature of signatures) {
    const signers = signersOf(signature, ring);
    if (signers.length > 0) return { fingerprint: await verifiedBy(signers, signature, lines) };
  }
  const [first] = signatures;
  throw invalid(
    first === undefined || idOf(first) === ''
      ? 'it does not tell which key signed it'
      : `it is signed by key ${idOf(first)}, which is not in the repository's key ring`,
  );
}

async function readSignatures(armored: string): Promise<SignaturePacket[]> {
  const { enums, readSignature } = await loadOpenPgp();
  let signatures: SignaturePacket[];
  try {
    const { packets } = await readSignature({ armoredSignature: armored });
    signatures = [...packets.filterByTag(enums.packet.signature)];
  } catch (error) {
    throw invalid(`the block PGP SIGNATURE cannot be read: ${messageOf(error)}`, error);
  }
  if (signatures.length === 0) throw invalid('the block PGP SIGNATURE holds no signature of a known kind');
  return signatures;
}

/** The primary key, and the key of its that signed: itself or a subkey. */
type Signer = { readonly primary: Key; readonly key: Key | Subkey };

function signersOf({ issuerKeyID }: SignaturePacket, ring: KeyRing): Signer[] {
  return ring.keys.flatMap(({ key: primary }) =>
    [primary, ...primary.subkeys]
      .filter((key) => key.getKeyID().equals(issuerKeyID))
      .map((key) => ({ primary, key })),
  );
}

/** @returns the fingerprint of the first signer whose signature it is */
async function verifiedBy(
  signers: readonly Signer[],
  signature: SignaturePacket,
  lines: readonly string[],
): Promise<string> {
  const now = new Date();
  let fault: unknown;
  // Several only where keys share a subkey, or the 64 bits of their id.
  for (const signer of signers) {
    try {
      await refuseUnfit(signer, signature, lines, now);
      await refuseUnusable(signer, now);
      return fingerprintOf(signer.primary);
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}

/** @throws Fault if the signature is not the signer's over these lines */
async function refuseUnfit(
  { key }: Signer,
  signature: SignaturePacket,
  lines: readonly string[],
  now: Date,
): Promise<void> {
  const { createMessage, enums } = await loadOpenPgp();
  const { signatureType } = signature;
  // A signature of another type covers a key or nothing, and fits every text.
  if (signatureType !== enums.signature.binary && signatureType !== enums.signature.text) {
    throw invalid('its signature is of a type that signs no text');
  }
  const { packets } = await createMessage({ binary: new TextEncoder().encode(lines.join('\r\n')) });
  const [text] = packets;
  if (text === undefined) throw new TypeError('a message without a packet');
  try {
    await signature.verify(key.keyPacket, signatureType, text, now, true);
  } catch (error) {
    const message = messageOf(error);
    const id = idOf(signature);
    throw invalid(
      /did not match|verification failed/.test(message)
        ? `its text is not what key ${id} signed: it was changed afterwards`
        : `its signature by key ${id} is refused: ${message}`,
      error,
    );
  }
}

/** @throws Fault if the key may not sign any more, or never might */
async function refuseUnusable({ primary, key }: Signer, now: Date): Promise<void> {
  try {
    await primary.getSigningKey(key.getKeyID(), now);
  } catch (error) {
    const message = messageOf(error);
    const what = `key ${fingerprintOf(primary)}, which signed it,`;
    if (/revoked/i.test(message)) throw invalid(`${what} has been revoked`, error);
    if (/expired/i.test(message)) {
      throw invalid(`${what} has expired: extend it and update the repository's key ring`, error);
    }
    throw invalid(`${what} may not sign: ${message}`, error);
  }
}

/** 800 KB of a bundle, and 20 ms to evaluate: only who meets a key ring pays for them. */
function loadOpenPgp(): Promise<typeof import('openpgp')> {
  return import('openpgp');
}

function fingerprintOf(key: Key): string {
  return key.getFingerprint().toUpperCase();
}

function idOf({ issuerKeyID }: SignaturePacket): string {
  return issuerKeyID.toHex().toUpperCase();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function privateKey(): Fault {
  return refused('it holds a private key, which nobody else should ever see');
}

function refused(why: string, cause?: unknown): Fault {
  return new Fault(
    'invalid_request',
    `not a key ring: ${why}; send what "gpg --armor --export KEY-ID" writes`,
    { cause },
  );
}

function invalid(why: string, cause?: unknown): Fault {
  return new Fault('invalid_provenance', `the signature of the provenance file does not hold: ${why}`, {
    cause,
  });
}
