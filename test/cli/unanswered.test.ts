import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { serverCertificate } from '../../local/certificates.ts';
import { bind, close } from '../../local/listen.ts';
import { runCommand } from './probe.ts';

async function aFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-unanswered-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

/** A server whose certificate is by a CA that nobody knows. @returns its port, and the CA's file */
async function aSecureServer() {
  const { key, cert, caFile } = await serverCertificate(await aFolder());
  const server = createServer({ key, cert }, (_, answer) => void answer.writeHead(404).end());
  onTestFinished(() => close(server));
  return { port: await bind(server, '127.0.0.1', 0), caFile };
}

let closedPort: number;
beforeAll(async () => {
  const server = createPlainServer();
  closedPort = await bind(server, '127.0.0.1', 0);
  await close(server);
});

describe.each([
  { program: 'cli/probe.ts', said: '/info is 404', more: () => [] },
  {
    program: 'cli/export.ts',
    said: '/-/repositories answered 404',
    more: (folder: string) => [path.join(folder, 'made')],
  },
])('$program where no Chartroom answers', ({ program, said, more }) => {
  it('names the address and the reason, and makes no folder', async () => {
    const folder = await aFolder();
    const url = `http://127.0.0.1:${closedPort}`;
    const ran = await runCommand(program, [url, ...more(folder)]);
    expect(ran).toEqual({ code: 2, out: '', err: `nobody answers at ${url}: ECONNREFUSED\n` });
    expect(existsSync(path.join(folder, 'made'))).toBe(false);
  });

  it("says how to trust a CA of one's own, and trusts it then", async () => {
    const { port, caFile } = await aSecureServer();
    const folder = await aFolder();
    const args = [`https://localhost:${port}`, ...more(folder)];
    const ran = await runCommand(program, args);
    expect(ran).toMatchObject({ code: 2, out: '' });
    expect(ran.err).toBe(
      `the certificate of https://localhost:${port} is not trusted here (UNABLE_TO_VERIFY_LEAF_SIGNATURE): ` +
        'name the PEM file of the CA that signed it in NODE_EXTRA_CA_CERTS\n',
    );
    expect(existsSync(path.join(folder, 'made'))).toBe(false);
    const trusting = await runCommand(program, args, { NODE_EXTRA_CA_CERTS: caFile });
    expect(trusting.err).toContain(said);
  });
});
