import type { ChartName } from './chart-name.ts';
import { parseChartName } from './chart-name.ts';
import { type ChartMetadata, checkLock, indexFields, readMetadata, validateMetadata } from './chart-yaml.ts';
import { type Digest, digestOf } from './digest.ts';
import { Fault } from './fault.ts';
import { toJson } from './go-json.ts';
import { isMap, parseGoYaml } from './go-yaml.ts';
import { type ArchiveBudget, type ArchiveFile, readArchive } from './package-archive.ts';
import { type ChartVersion, parseChartVersion } from './version.ts';
import { yamlSafeJson } from './yaml-safe-json.ts';

/** What people look at without unpacking the chart. Texts are base64 of the files' own bytes. */
export type ChartFiles = {
  /** Chart.yaml */
  readonly chart: string;
  readonly values?: { readonly text: string; readonly parsed: unknown };
  readonly readme?: string;
  /** values.schema.json */
  readonly schema?: string;
  /**
   * The chart's own templates, not its subcharts'; `name` begins with `templates/`, as in ChartMuseum. Left out
   * where no answer could carry them.
   */
  readonly templates?: readonly { readonly name: string; readonly data: string }[];
  /** Every file in the package, subcharts included, in the archive's order. */
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
};

export type ChartPackage = {
  readonly name: ChartName;
  readonly version: ChartVersion;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /**
   * The version's metadata as one line of JSON that is YAML too, without `urls`, `created` and `digest`; keys in
   * ChartMuseum's order.
   */
  readonly entry: string;
  readonly files: ChartFiles;
};

export type PackageLimits = {
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly fileBytes: number;
  readonly members: number;
  readonly nestedPackages: number;
  readonly yamlBytes: number;
  readonly entryBytes: number;
};

/** What is left of the limits while a package and the packages inside it are read. */
type Budget = ArchiveBudget & { yamlBytes: number };

const MIB = 1024 * 1024;

/** What of the templates fits into an answer of Lambda's 6 MB, in base64 and with the values beside it. */
const MOST_TEMPLATES_BYTES = 4 * MIB;

export const helmLimits: PackageLimits = {
  packedBytes: 100 * MIB, // a package larger than what it may unpack to holds nothing but padding
  unpackedBytes: 100 * MIB, // MaxDecompressedChartSize in Helm's pkg/chart/loader/archive.go
  fileBytes: 5 * MIB, // MaxDecompressedFileSize, ibid.
  members: 20_000, // ours: Helm has none; the largest public charts hold about a thousand files
  nestedPackages: 10, // ours: how deep packages may lie inside packages (charts/*.tgz)
  yamlBytes: 16 * MIB, // ours: what is parsed of a chart and its subcharts, at about 4 MiB a second
  entryBytes: 128 * 1024, // ours: a DynamoDB item holds 400 KB, and a version's item up to two entries
};

/**
 * Reads a package as Helm's loader would, subcharts included.
 *
 * @throws Fault `invalid_package`, `invalid_name` or `invalid_version` with the reason
 */
export async function readPackage(
  bytes: Uint8Array,
  limits: PackageLimits = helmLimits,
): Promise<ChartPackage> {
  if (bytes.length > limits.packedBytes) {
    throw new Fault('invalid_package', `the package is larger than ${limits.packedBytes} bytes`);
  }
  const { unpackedBytes, fileBytes, members, yamlBytes } = limits;
  const budget = { unpackedBytes, fileBytes, members, yamlBytes };
  const files = await readArchive(bytes, budget, isRead);
  const metadata = await loadChart(files, budget, limits.nestedPackages);
  const name = parseChartName(metadata.name ?? '');
  const version = parseChartVersion(metadata.version ?? '');
  const entry = renderEntry(metadata, limits.entryBytes);
  return { name, version, digest: digestOf(bytes), sizeBytes: bytes.length, entry, files: chartFiles(files) };
}

function renderEntry(metadata: ChartMetadata, entryBytes: number): string {
  const entry = yamlSafeJson(indexFields(metadata));
  if (Buffer.byteLength(entry) > entryBytes) {
    throw new Fault(
      'invalid_package',
      `what Chart.yaml says takes more than ${entryBytes} bytes in the index: shorten annotations or description`,
    );
  }
  return entry;
}

const PARSED = new Set(['Chart.yaml', 'Chart.lock', 'requirements.yaml', 'requirements.lock', 'values.yaml']);
const READ_IN_SUBCHARTS =
  /^charts\/(.+\/)?([^/]+\.tgz|Chart\.(yaml|lock)|requirements\.(yaml|lock)|values\.yaml)$/;

function isRead(path: string): boolean {
  if (PARSED.has(path) || path === 'values.schema.json' || isReadme(path)) return true;
  return path.startsWith('templates/') || READ_IN_SUBCHARTS.test(path);
}

// findReadme in Helm's pkg/action/show.go
function isReadme(path: string): boolean {
  return ['readme.md', 'readme.txt', 'readme'].includes(path.toLowerCase());
}

/**
 * What LoadFiles of Helm's pkg/chart/loader/load.go does: a chart with a broken part is refused, since Helm would
 * refuse it when it is installed.
 *
 * @param depth how many more levels of packages inside packages may follow
 */
async function loadChart(
  files: readonly ArchiveFile[],
  budget: Budget,
  depth: number,
): Promise<ChartMetadata> {
  let metadata: ChartMetadata | undefined;
  spendYaml(files, budget);
  for (const { path, data = new Uint8Array() } of files) {
    if (path === 'Chart.yaml') metadata = readMetadata(data, path, metadata);
  }
  if (metadata === undefined) {
    throw new Fault(
      'invalid_package',
      'Chart.yaml is missing: a package holds one directory with a Chart.yaml',
    );
  }
  for (const { path, data = new Uint8Array() } of files) {
    if (path === 'requirements.yaml') metadata = readMetadata(data, path, metadata);
    if (path === 'Chart.lock' || path === 'requirements.lock') checkLock(data, path);
    if (path === 'values.yaml') readValues(data);
  }
  const valid = validateMetadata(metadata);
  for (const [name, subchart] of subcharts(files)) await loadSubchart(name, subchart, budget, depth);
  return valid;
}

function spendYaml(files: readonly ArchiveFile[], budget: Budget): void {
  for (const { path, sizeBytes } of files) if (PARSED.has(path)) budget.yamlBytes -= sizeBytes;
  if (budget.yamlBytes >= 0) return;
  throw new Fault(
    'invalid_package',
    'the values.yaml and Chart.yaml files of chart and subcharts are too large together',
  );
}

/**
 * The files below `charts/`, by the directory or package they belong to. A file that is no package stands for a
 * chart without files: Helm refuses it.
 */
function subcharts(files: readonly ArchiveFile[]): Map<string, ArchiveFile[]> {
  const charts = new Map<string, ArchiveFile[]>();
  for (const file of files) {
    const [, name, rest = ''] = /^charts\/([^/]+)(?:\/(.*))?$/s.exec(file.path) ?? [];
    if (name === undefined || /^[._]/.test(name) || file.path.endsWith('.prov')) continue;
    const members = charts.get(name) ?? [];
    charts.set(name, members);
    if (rest !== '' || name.endsWith('.tgz')) members.push({ ...file, path: rest });
  }
  return charts;
}

async function loadSubchart(
  name: string,
  files: readonly ArchiveFile[],
  budget: Budget,
  depth: number,
): Promise<void> {
  try {
    if (!name.endsWith('.tgz')) {
      await loadChart(files, budget, depth);
      return;
    }
    if (depth === 0) throw new Fault('invalid_package', 'packages are nested too deep');
    const nested = await readArchive(files[0]?.data ?? new Uint8Array(), budget, isRead);
    await loadChart(nested, budget, depth - 1);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('invalid_package', `subchart charts/${name}: ${error.message}`, { cause: error });
  }
}

function readValues(data: Uint8Array): unknown {
  const yaml = parseGoYaml(data, 'values.yaml') ?? null;
  if (yaml === null) return {};
  if (!isMap(yaml)) throw new Fault('invalid_package', 'values.yaml must hold a mapping');
  return toJson(yaml);
}

function chartFiles(files: readonly ArchiveFile[]): ChartFiles {
  const find = (test: (path: string) => boolean) => files.findLast(({ path }) => test(path))?.data;
  const templates = files.filter(({ path }) => path.startsWith('templates/'));
  const templateBytes = templates.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const values = find((path) => path === 'values.yaml');
  const readme = find(isReadme);
  const schema = find((path) => path === 'values.schema.json');
  return {
    chart: base64(find((path) => path === 'Chart.yaml') ?? new Uint8Array()),
    ...(values && { values: { text: base64(values), parsed: readValues(values) } }),
    ...(readme && { readme: base64(readme) }),
    ...(schema && { schema: base64(schema) }),
    ...(templateBytes <= MOST_TEMPLATES_BYTES && {
      templates: templates.map(({ path, data = new Uint8Array() }) => ({ name: path, data: base64(data) })),
    }),
    files: files.map(({ path, sizeBytes }) => ({ path, sizeBytes })),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
