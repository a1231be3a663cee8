// What @peculiar/x509 is built with asks for it, and before it.
import 'reflect-metadata';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as x509 from '@peculiar/x509';

/** What a server of TLS needs, and what its clients do. */
export type ServerCertificate = {
  readonly key: string;
  readonly cert: string;
  /** File with the certificate that clients are to trust, in PEM. */
  readonly caFile: string;
};

type Authority = { readonly key: KeyObject; readonly certificate: X509Certificate };

// As other tools for this do; less than the 825 days that Apple's systems take.
const CA_DAYS = 365;

// A server's certificate ends with its CA's: a runner may go on for as long as this.
const LEAST_DAYS_LEFT = 180;

const DAY_MS = 24 * 60 * 60 * 1000;

const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * Makes a certificate for loopback, signed by the CA whose files are in a folder, and that CA where there is none
 * or it nears its end.
 *
 * Each call makes another server key, which is nowhere but in memory. Only the CA's is in a file, which its owner
 * alone may read: whoever has it could be any server for those who trust the CA.
 */
export async function serverCertificate(folder: string): Promise<ServerCertificate> {
  const caFile = path.join(folder, 'ca.pem');
  const keyFile = path.join(folder, 'ca-key.pem');
  const ca = readAuthority(caFile, keyFile) ?? (await makeAuthority(caFile, keyFile));
  const { privateKey, publicKey } = generateKeyPairSync('ec', EC);
  const cert = await sign(ca.key, publicKey, {
    subject: 'CN=localhost, O=Chartroom',
    issuer: new x509.X509Certificate(ca.certificate.raw).subject,
    notAfter: new Date(ca.certificate.validTo),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  });
  return { key: pemOf(privateKey), cert, caFile };
}

/** @returns undefined for files that are not there, do not belong together or end too soon */
function readAuthority(caFile: string, keyFile: string): Authority | undefined {
  try {
    const certificate = new X509Certificate(readFileSync(caFile));
    const key = createPrivateKey(readFileSync(keyFile));
    chmodSync(keyFile, 0o600); // a folder that was put back from a copy may have lost it
    const daysLeft = (Date.parse(certificate.validTo) - Date.now()) / DAY_MS;
    return certificate.checkPrivateKey(key) && daysLeft > LEAST_DAYS_LEFT ? { key, certificate } : undefined;
  } catch {
    return undefined;
  }
}

async function makeAuthority(caFile: string, keyFile: string): Promise<Authority> {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', EC);
  const name = 'CN=Chartroom on this computer, O=Chartroom';
  const pem = await sign(key, publicKey, {
    subject: name,
    issuer: name,
    notAfter: new Date(Date.now() + CA_DAYS * DAY_MS),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  mkdirSync(path.dirname(caFile), { recursive: true });
  rmSync(keyFile, { force: true }); // a file that is there would keep its mode
  writeFileSync(keyFile, pemOf(key), { mode: 0o600, flag: 'wx' });
  writeFileSync(caFile, pem);
  return { key, certificate: new X509Certificate(pem) };
}

type Content = Pick<
  x509.X509CertificateCreateWithKeyParams,
  'subject' | 'issuer' | 'notAfter' | 'extensions'
>;

/** @returns the certificate in PEM */
async function sign(
  signer: KeyObject,
  publicKey: KeyObject,
  { extensions = [], ...content }: Content,
): Promise<string> {
  const der = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });
  const pkcs8 = signer.export({ type: 'pkcs8', format: 'der' });
  const certificate = await x509.X509CertificateGenerator.create({
    ...content,
    notBefore: new Date(Date.now() - DAY_MS), // for a client whose clock is behind, such as in a virtual machine
    publicKey: der(publicKey),
    signingKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, EC, false, ['sign']),
    signingAlgorithm: EC,
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(der(publicKey)),
      await x509.AuthorityKeyIdentifierExtension.create(der(createPublicKey(signer))),
    ],
  });
  return `${certificate.toString('pem')}\n`;
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
