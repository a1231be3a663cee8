import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleFunctions } from '../../infra/bundle.ts';
import { chartroomApp } from '../../infra/chartroom-app.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folders of the synthesized stack, by access: made once, run by many tests. */
    assemblies: { readonly open: string; readonly closed: string };
  }
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
  return () => rm(folder, { recursive: true, force: true });
}
