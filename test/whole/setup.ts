import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleFunctions } from '../../infra/bundle.ts';
import { synthesize } from '../../local/synthesize.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folders of the synthesized stack, by access: made once, run by many tests. */
    assemblies: { readonly open: string; readonly closed: string };
  }
}

/** Synthesizes the stack once for all test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Once, and not by each of the two at the same time.
  bundleFunctions();
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-assemblies-'));
  const make = (access: 'open' | 'closed') =>
    synthesize({
      outDir: path.join(folder, access),
      context: { access, ...(access === 'open' && { accessReason: 'a test on this computer' }) },
    });
  const [open, closed] = await Promise.all([make('open'), make('closed')]);
  project.provide('assemblies', { open, closed });
  return () => rm(folder, { recursive: true, force: true });
}
