import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

type Synthesis = { readonly outDir: string; readonly context: Readonly<Record<string, unknown>> };

/**
 * Synthesizes the stack in a process of its own, as `cdk synth` would, but for CDK's check of the template, which
 * takes longer than all the rest and says nothing about what runs here.
 *
 * @param context goes before what cdk.json says
 * @returns outDir, the folder of the cloud assembly
 * @throws Error with what that process printed
 */
export async function synthesize({ outDir, context }: Synthesis): Promise<string> {
  const settings: { context?: object } = JSON.parse(readFileSync(`${root}cdk.json`, 'utf8'));
  const CDK_CONTEXT_JSON = JSON.stringify({ ...settings.context, ...context });
  const env = { ...process.env, CDK_OUTDIR: outDir, CDK_CONTEXT_JSON, CDK_VALIDATION: 'false' };
  const command = ['--import', 'tsx', 'infra/app.ts'];
  await promisify(execFile)(process.execPath, command, { cwd: root, env }).catch((error: unknown) => {
    const { stderr = '' }: { stderr?: string } = Object(error);
    throw new Error(stderr.trim() || String(error), { cause: error });
  });
  return outDir;
}
