import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect as connectPlainly } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

const assembly = writeAssembly({
  functions: {
    Echo: 'export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });',
  },
  routes: { 'GET /a/{name}': 'Echo' },
});

const aFolder = () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const caOf = ({ caFile = '' }: LocalStack) => readFileSync(caFile, 'utf8');

/** Sends a request over TLS, trusting one CA, or those of the system. */
async function get(url: string, ca?: string, headers: Readonly<Record<string, string>> = {}) {
  const [answer] = (await once(request(url, { ca, headers }).end(), 'response')) as [IncomingMessage];
  return { status: answer.statusCode, body: await text(answer) };
}

/** The server's certificate, in PEM. */
async function certificateOf({ url }: LocalStack): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const pem = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  return pem;
}

describe('an API over HTTPS', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocal({ assembly, tls: true });
  });
  afterAll(() => stack.stop());

  it.each(['localhost', '127.0.0.1'])('is trusted as %s by whoever trusts its CA', async (host) => {
    const url = stack.url.replace('localhost', host);
    expect(url).toMatch(/^https:/);
    expect(await get(`${url}/a/b`, caOf(stack))).toMatchObject({ status: 200 });
  });

  it('is refused by whoever does not', async () => {
    await expect(get(`${stack.url}/a/b`)).rejects.toThrow('unable to verify the first certificate');
  });

  it('has a certificate of all names of this computer, for servers alone', async () => {
    const folder = aFolder();
    const leaf = path.join(folder, 'leaf.pem');
    writeFileSync(leaf, await certificateOf(stack));
    const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', stack.caFile ?? ''];
    for (const name of [
      ['-verify_hostname', 'localhost'],
      ['-verify_ip', '127.0.0.1'],
      ['-verify_ip', '::1'],
    ]) {
      expect(execFileSync('openssl', [...verify, ...name, leaf]).toString()).toContain('OK');
    }
    const elsewhere = [...verify, '-verify_hostname', 'example.org', leaf];
    expect(() => execFileSync('openssl', elsewhere, { stdio: 'pipe' })).toThrow('hostname mismatch');
    const asClient = [...verify.with(3, 'sslclient'), leaf];
    expect(() => execFileSync('openssl', asClient, { stdio: 'pipe' })).toThrow('unsuitable certificate');
  });

  it('tells a function that it is, whatever the client says', async () => {
    const { body } = await get(`${stack.url}/a/b`, caOf(stack), { 'x-forwarded-proto': 'http' });
    expect(JSON.parse(body)).toMatchObject({ headers: { 'x-forwarded-proto': 'https' } });
  });

  it('answers those who speak plain HTTP that it does not', async () => {
    const plain = await fetch(`${stack.url.replace('https', 'http')}/a/b`, { method: 'PUT', body: 'x' });
    expect([plain.status, await plain.json()]).toEqual([
      400,
      { message: 'this port speaks HTTPS: begin the address with https://' },
    ]);
  });

  it('hangs up on who says nothing', async () => {
    const impatient = await startLocal({ assembly, tls: true, requestTimeoutMs: 100 });
    onTestFinished(() => impatient.stop());
    const socket = connectPlainly(Number(new URL(impatient.url).port), '127.0.0.1');
    expect(await text(socket)).toBe('');
  });
});

describe('the CA', () => {
  /** Starts over a folder, and says what it finds of the CA there before it stops again. */
  async function lookAt(dataDir: string) {
    const stack = await startLocal({ assembly, dataDir, tls: true });
    try {
      expect(await get(`${stack.url}/a/b`, caOf(stack))).toMatchObject({ status: 200 });
      return { ca: caOf(stack), leaf: await certificateOf(stack), caFile: stack.caFile };
    } finally {
      await stack.stop();
    }
  }
  const filesOf = (dataDir: string) => ({
    caFile: path.join(dataDir, 'tls/ca.pem'),
    keyFile: path.join(dataDir, 'tls/ca-key.pem'),
  });
  const modeOf = (file: string) => statSync(file).mode & 0o777;

  /** A CA as this program makes them, but for its end. */
  function writeCa(dataDir: string, days: number): string {
    const { caFile, keyFile } = filesOf(dataDir);
    mkdirSync(path.dirname(caFile), { recursive: true });
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=before'];
    const usage = ['-addext', 'keyUsage=critical,keyCertSign'];
    const files = ['-keyout', keyFile, '-out', caFile];
    const args = ['req', '-x509', '-days', String(days), ...ec, ...usage, ...files];
    execFileSync('openssl', args, { stdio: 'pipe' });
    return readFileSync(caFile, 'utf8');
  }

  it('stays the same in a data folder, and the server’s certificate does not', async () => {
    const dataDir = aFolder();
    const first = await lookAt(dataDir);
    const second = await lookAt(dataDir);
    expect(first.caFile).toBe(filesOf(dataDir).caFile);
    expect(second.ca).toBe(first.ca);
    expect(second.leaf).not.toBe(first.leaf);
  });

  it('has a key that its owner alone may read, also where it was put back from a copy', async () => {
    const dataDir = aFolder();
    const { keyFile } = filesOf(dataDir);
    const { ca } = await lookAt(dataDir);
    expect(modeOf(keyFile)).toBe(0o600);
    chmodSync(keyFile, 0o644);
    expect((await lookAt(dataDir)).ca).toBe(ca);
    expect(modeOf(keyFile)).toBe(0o600);
  });

  it('is made anew where its files cannot be used, with no file that others may read', async () => {
    const dataDir = aFolder();
    const { caFile, keyFile } = filesOf(dataDir);
    const { ca } = await lookAt(dataDir);
    writeFileSync(keyFile, 'no key');
    chmodSync(keyFile, 0o644);
    const next = await lookAt(dataDir);
    expect(next.ca).not.toBe(ca);
    expect(modeOf(keyFile)).toBe(0o600);
    writeFileSync(caFile, ca); // of another key
    expect((await lookAt(dataDir)).ca).not.toBe(ca);
  });

  it('is made anew when it nears its end, and not before', async () => {
    const dataDir = aFolder();
    const long = writeCa(dataDir, 182);
    expect((await lookAt(dataDir)).ca).toBe(long);
    const short = writeCa(dataDir, 179);
    expect((await lookAt(dataDir)).ca).not.toBe(short);
  });

  it('of a runner that keeps nothing is gone with it', async () => {
    const stack = await startLocal({ assembly, tls: true });
    const { caFile = '' } = stack;
    expect(caOf(stack)).toContain('BEGIN CERTIFICATE');
    await stack.stop();
    expect(() => statSync(caFile)).toThrow('ENOENT');
  });
});
