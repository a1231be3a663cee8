import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type Metafile } from 'esbuild';
import { functionIds } from './functions.ts';

const root = dirname(import.meta.dirname);

/** Where the bundles lie: `<id>/index.mjs`, one folder a function. */
export const bundleDirectory = join(root, 'dist', 'functions');

// CommonJS dependencies call `require` for Node's own modules, which an ES module does not have. The long
// name cannot meet one that a bundled file imports.
const REQUIRE =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);";

export type BundleOptions = {
  /** Folder of the handlers' sources. @default functions/ of this repository */
  readonly from?: string;
  /** Folder that the bundles are written to. @default {@link bundleDirectory} */
  readonly to?: string;
  /** The functions to bundle, by the names of their files. @default all */
  readonly ids?: readonly string[];
};

/**
 * Bundles every function with all that it imports, the AWS SDK too: pinned, and only the parts it calls,
 * it loads faster than the copy that the runtime brings.
 *
 * The same sources give the same bytes, and a file that holds them already is left alone, so processes
 * that bundle at the same time do not disturb each other or a reader. Where nothing was changed since the last
 * time, nothing is done.
 *
 * @throws Error with esbuild's messages, such as a missing handler
 */
export function bundleFunctions(options: BundleOptions = {}): void {
  const { from = join(root, 'functions'), to = bundleDirectory, ids = functionIds } = options;
  const record = join(to, 'last.json');
  if (isFresh(record, ids)) return;
  const began = Date.now();
  const { outputFiles, metafile } = buildSync({
    absWorkingDir: root,
    metafile: true,
    entryPoints: Object.fromEntries(ids.map((id) => [`${id}/index`, join(from, `${id}.ts`)])),
    outdir: to,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    // The oldest Node that runs the bundles locally; Lambda's is newer.
    target: 'node20',
    // The SDK's ES modules shed what nobody calls; its CommonJS files cannot.
    mainFields: ['module', 'main'],
    // Drops dead branches. Shorter names and fewer blanks would halve the size, but not the time to load, and
    // make stack traces unreadable.
    minifySyntax: true,
    sourcemap: false,
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: REQUIRE },
    // The thrown error carries the messages; printing them too would say everything twice.
    logLevel: 'silent',
  });
  for (const file of outputFiles) writeIfChanged(file.path, file.contents);
  writeIfChanged(record, Buffer.from(JSON.stringify(recordOf(metafile, ids, began))));
}

/** What the last bundling was made of, and when; paths from the root. */
type LastBundling = {
  readonly ids: readonly string[];
  readonly began: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
};

const recordOf = ({ inputs, outputs }: Metafile, ids: readonly string[], began: number): LastBundling => ({
  ids,
  began,
  // Packages are as old as npm makes them, so what is installed says when they changed; and how, this file.
  inputs: [...Object.keys(inputs), 'node_modules/.package-lock.json', relative(root, import.meta.filename)],
  outputs: Object.keys(outputs),
});

// The times of files are coarser than the clock: one written a moment before may seem older than it is.
const SETTLED_MS = 1_000;

function isFresh(record: string, ids: readonly string[]): boolean {
  if (!existsSync(record)) return false;
  const last = JSON.parse(readFileSync(record, 'utf8')) as LastBundling;
  const changed = (file: string) =>
    statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  return (
    JSON.stringify(last.ids) === JSON.stringify(ids) &&
    last.inputs.every((file) => changed(file) < last.began - SETTLED_MS) &&
    last.outputs.every((file) => existsSync(join(root, file)))
  );
}

/** Puts a file in place in one step, so that no reader meets half of it. */
function writeIfChanged(path: string, contents: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    writeFileSync(temporary, contents);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bundleFunctions();
