import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  constants,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

type Synthesis = { readonly outDir: string; readonly context: Readonly<Record<string, unknown>> };

/**
 * Synthesizes the stack in a process of its own, as `cdk synth` would, but for CDK's check of the template, which
 * takes longer than all the rest and says nothing about what runs here. What was made of the same sources and settings
 * before is copied: that is most of the time that `npm start` takes.
 *
 * @param context goes before what cdk.json says
 * @returns outDir, the folder of the cloud assembly
 * @throws Error with what that process printed
 */
export async function synthesize({ outDir, context }: Synthesis): Promise<string> {
  const settings: { context?: object } = JSON.parse(readFileSync(`${root}cdk.json`, 'utf8'));
  const CDK_CONTEXT_JSON = JSON.stringify({ ...settings.context, ...context });
  const sources = stateOfSources();
  const kept = path.join(root, 'dist/assemblies', digestOf([...sources.files, CDK_CONTEXT_JSON]));
  if (existsSync(kept)) {
    copyFolder(kept, outDir);
    return outDir;
  }
  const env = { ...process.env, CDK_OUTDIR: outDir, CDK_CONTEXT_JSON, CDK_VALIDATION: 'false' };
  const command = ['--import', 'tsx', 'infra/app.ts'];
  await promisify(execFile)(process.execPath, command, { cwd: root, env }).catch((error: unknown) => {
    const { stderr = '' }: { stderr?: string } = Object(error);
    throw new Error(stderr.trim() || String(error), { cause: error });
  });
  const isSettled = sources.newestMs < Date.now() - SETTLED_MS;
  if (isSettled && digestOf(stateOfSources().files) === digestOf(sources.files)) keep(outDir, kept);
  return outDir;
}

// The times of files are coarser than the clock, and somebody may be editing.
const SETTLED_MS = 10_000;

// Whoever starts the same again does so soon; meanwhile nothing is taken away that somebody may be copying.
const KEPT_MS = 24 * 60 * 60 * 1000;

const digestOf = (texts: readonly string[]) =>
  createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 32);

/** All that an assembly is made of: name, size and time of each file. */
function stateOfSources(): { readonly files: readonly string[]; readonly newestMs: number } {
  const folders = ['infra', 'functions', 'shared'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true }).map((file) => path.join(folder, String(file))),
  );
  const single = ['package.json', 'tsconfig.json', 'node_modules/.package-lock.json'];
  const stats = [...folders, ...single].map((file) => ({
    file,
    ...statSync(path.join(root, file), { throwIfNoEntry: false }),
  }));
  return {
    files: stats.map(({ file, size, mtimeMs }) => `${file} ${size} ${mtimeMs}`).toSorted(),
    newestMs: Math.max(...stats.map(({ mtimeMs = 0 }) => mtimeMs)),
  };
}

/** Puts an assembly in its place in one step, and takes away those that nobody asked for lately. */
function keep(outDir: string, kept: string): void {
  const folder = path.dirname(kept);
  const temporary = `${kept}.${randomUUID()}`;
  copyFolder(outDir, temporary);
  try {
    renameSync(temporary, kept);
  } catch {
    rmSync(temporary, { recursive: true }); // somebody else was faster
  }
  for (const name of readdirSync(folder)) {
    const other = path.join(folder, name);
    const { mtimeMs = Date.now() } = statSync(other, { throwIfNoEntry: false }) ?? {};
    if (mtimeMs < Date.now() - KEPT_MS) rmSync(other, { recursive: true, force: true });
  }
}

const copyFolder = (from: string, to: string) =>
  cpSync(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
