import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
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
 * that bundle at the same time do not disturb each other or a reader.
 *
 * @throws Error with esbuild's messages, such as a missing handler
 */
export function bundleFunctions(options: BundleOptions = {}): void {
  const { from = join(root, 'functions'), to = bundleDirectory, ids = functionIds } = options;
  const { outputFiles } = buildSync({
    absWorkingDir: root,
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
