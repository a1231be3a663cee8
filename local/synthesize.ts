import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Synthesizes the stack in a process of its own, as `cdk synth` would.
 *
 * @param context goes before what cdk.json says
 * @returns outDir, the folder of the cloud assembly
 */
export async function synthesize({
  outDir,
  context,
}: {
  outDir: string;
  context: Readonly<Record<string, unknown>>;
}): Promise<string> {
  const settings: { context?: Record<string, unknown> } = JSON.parse(readFileSync(`${root}cdk.json`, 'utf8'));
  const child = spawn(process.execPath, ['--import', 'tsx', 'infra/app.ts'], {
    cwd: root,
    env: {
      ...process.env,
      CDK_OUTDIR: outDir,
      CDK_CONTEXT_JSON: JSON.stringify({ ...settings.context, ...context }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => said.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => said.push(bytes));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`the stack could not be synthesized:\n${Buffer.concat(said)}`);
  return outDir;
}
