import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleFunctions } from '../../infra/bundle.ts';
import { chartroomApp } from '../../infra/chartroom-app.ts';
import { serverCertificate } from '../../local/certificates.ts';
import { isEnforced } from '../deploy/deploy-kind.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folders of the synthesized stack, by access: made once, run by many tests. */
    assemblies: { readonly open: string; readonly closed: string };
    /** Files of what a server on this computer shows by TLS, where a deployment is asked to speak it. */
    certificate: { readonly certFile: string; readonly keyFile: string };
  }
}

/** Makes a certificate that the tests trust, and all that they start: Node.js, the AWS CLI, curl, and Helm. */
async function trustedCertificate(folder: string) {
  const { key, cert, caFile } = await serverCertificate(folder);
  const [certFile, keyFile] = [path.join(folder, 'server.pem'), path.join(folder, 'server-key.pem')];
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  // The processes of the tests are begun after this; Node.js reads its variable when it begins.
  for (const name of ['NODE_EXTRA_CA_CERTS', 'AWS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE']) {
    process.env[name] = caFile;
  }
  return { certFile, keyFile };
}

/** Synthesizes the stack once for all test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  bundleFunctions();
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-assemblies-'));
  // In this process, so that the CDK is loaded once for all; the runner's own way is that of other tests.
  process.env['CDK_VALIDATION'] = 'false';
  const { context: settings }: { context: object } = JSON.parse(readFileSync('cdk.json', 'utf8'));
  const make = (access: 'open' | 'closed', reason = {}) =>
    chartroomApp({ outdir: path.join(folder, access), context: { ...settings, access, ...reason } }).synth()
      .directory;
  const open = make('open', { accessReason: 'a test on this computer' });
  const closed = make('closed');
  project.provide('assemblies', { open, closed });
  if (isEnforced) project.provide('certificate', await trustedCertificate(path.join(folder, 'tls')));
  return () => rm(folder, { recursive: true, force: true });
}
