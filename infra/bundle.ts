import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type Metafile } from 'esbuild';
import { functionIds } from './functions.ts';

const root = dirname(import.meta.dirname);

/** Where the bundles lie: `<id>/index.mjs` and what it loads when it needs it, one folder a function. */
export const bundleDirectory = join(root, 'dist', 'functions');

// CommonJS dependencies call `require` for Node's own modules, which an ES module does not have; made by whoever
// calls it, since making it costs each file a fraction of a millisecond. The long name cannot meet one that a
// bundled file imports.
const REQUIRE =
  "import { createRequire as createRequireOfBundle } from 'node:module'; const require = (id) => createRequireOfBundle(import.meta.url)(id);";

// A function has its credentials in the environment. Who else could be asked for some (SSO, profiles, processes) is a
// third of a bundle.
const ALIAS = { '@aws-sdk/credential-provider-node': join(root, 'shared', 'store', 'credentials.ts') };

/**
 * What Helm asks for at every update and pull, and what has no client and would be little but the logger: what they seldom
 * need lies in files beside `index.mjs`, read by whoever needs it first. The others are one file each, which is made in a
 * fraction of the time.
 */
const splitFunctions: readonly string[] = [
  ...['get-index', 'get-chart-index', 'get-package'],
  ...['get-health', 'get-info', 'get-system-info', 'answer-unknown-route'],
];

export type BundleOptions = {
  /** Folder of the handlers' sources. @default functions/ of this repository */
  readonly from?: string;
  /** Folder that the bundles are written to. @default {@link bundleDirectory} */
  readonly to?: string;
  /** The functions to bundle, by the names of their files. @default all */
  readonly ids?: readonly string[];
  /** Those among them that are split. @default those that Helm waits for, and those without a client */
  readonly split?: readonly string[];
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
  const { split = splitFunctions } = options;
  const record = join(to, 'last.json');
  if (isFresh(record, ids)) return;
  const began = Date.now();
  const apart = ids.filter((id) => split.includes(id));
  // Each by itself: files that two of them shared would lie in no function's folder.
  const made = [
    build(from, to, { ids: ids.filter((id) => !apart.includes(id)), splitting: false }),
    ...apart.map((id) => build(from, to, { ids: [id], splitting: true })),
  ];
  // The entry last: whoever reads it finds what it loads.
  for (const { outputFiles } of made)
    for (const file of outputFiles.toReversed()) writeIfChanged(file.path, file.contents);
  const metafiles = made.map(({ metafile }) => metafile);
  writeIfChanged(record, Buffer.from(JSON.stringify(recordOf(metafiles, ids, began))));
  const written = new Set(made.flatMap(({ outputFiles }) => outputFiles.map(({ path }) => path)));
  for (const id of apart) removeOthers(join(to, id), written);
}

/** @throws Error with esbuild's messages */
function build(from: string, to: string, { ids, splitting }: { ids: readonly string[]; splitting: boolean }) {
  return buildSync({
    absWorkingDir: root,
    metafile: true,
    entryPoints: Object.fromEntries(ids.map((id) => [`${id}/index`, join(from, `${id}.ts`)])),
    outdir: to,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting,
    ...(splitting && { chunkNames: `${ids[0]}/[name]-[hash]` }),
    write: false,
    format: 'esm',
    platform: 'node',
    // The oldest Node that runs the bundles locally; Lambda's is newer.
    target: 'node20',
    // The SDK's ES modules shed what nobody calls; its CommonJS files cannot.
    mainFields: ['module', 'main'],
    alias: ALIAS,
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
}

/** What the last bundling was made of, and when; paths from the root. */
type LastBundling = {
  readonly ids: readonly string[];
  readonly began: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
};

const recordOf = (metafiles: readonly Metafile[], ids: readonly string[], began: number): LastBundling => ({
  ids,
  began,
  // Packages are as old as npm makes them, so what is installed says when they changed; and how, this file.
  inputs: [
    ...new Set(metafiles.flatMap(({ inputs }) => Object.keys(inputs))),
    'package.json',
    'node_modules/.package-lock.json',
    relative(root, import.meta.filename),
  ],
  outputs: metafiles.flatMap(({ outputs }) => Object.keys(outputs)),
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

/** The folders of the packages that the last bundling took anything of, such as `node_modules/tar-stream`. */
export function bundledPackages(): readonly string[] {
  const { inputs } = JSON.parse(readFileSync(join(bundleDirectory, 'last.json'), 'utf8')) as LastBundling;
  const folders = inputs.map((file) => /^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].toSorted();
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

/** What earlier bundles loaded would be deployed with this one. */
function removeOthers(folder: string, written: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.mjs') && !written.has(path)) rmSync(path, { force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bundleFunctions();
