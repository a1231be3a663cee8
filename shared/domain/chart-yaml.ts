import { Fault } from './fault.ts';
import {
  compareBytes,
  decodeStruct,
  flag,
  json,
  listOf,
  type Struct,
  structOf,
  text,
  texts,
  time,
} from './go-json.ts';
import { parseGoYaml } from './go-yaml.ts';
import { parseSemver } from './semver.ts';

// Fields and their types are those of pkg/chart/metadata.go and dependency.go of Helm; everything else is dropped.
const MAINTAINER = { name: text, email: text, url: text };

const DEPENDENCY = {
  name: text,
  version: text,
  repository: text,
  condition: text,
  tags: listOf(text, ''),
  enabled: flag,
  'import-values': listOf(json, null),
  alias: text,
};

const METADATA = {
  name: text,
  home: text,
  sources: listOf(text, ''),
  version: text,
  description: text,
  keywords: listOf(text, ''),
  maintainers: listOf(structOf(MAINTAINER), undefined),
  icon: text,
  apiVersion: text,
  condition: text,
  tags: text,
  appVersion: text,
  deprecated: flag,
  annotations: texts,
  kubeVersion: text,
  dependencies: listOf(structOf(DEPENDENCY), undefined),
  type: text,
};

const LOCK = { generated: time, digest: text, dependencies: listOf(structOf(DEPENDENCY), undefined) };

type Maintainer = Struct<typeof MAINTAINER>;
type Dependency = Struct<typeof DEPENDENCY>;

/** What Chart.yaml says of a chart; an undefined item of a list stands for a null in it. */
export type ChartMetadata = Struct<typeof METADATA>;

/**
 * Reads Chart.yaml, or requirements.yaml, which Helm decodes over what Chart.yaml said.
 *
 * @param before what was read so far
 * @throws Fault `invalid_package`
 */
export function readMetadata(bytes: Uint8Array, file: string, before: ChartMetadata = {}): ChartMetadata {
  const yaml = parseGoYaml(bytes, file) ?? null;
  const metadata = yaml === null ? before : inFile(file, () => decodeStruct(METADATA, yaml, before, file));
  // A chart for Helm 2 need not name its apiVersion (pkg/chart/loader/load.go).
  const isNamed = isPresent(metadata.apiVersion) || file !== 'Chart.yaml';
  return isNamed ? metadata : { ...metadata, apiVersion: 'v1' };
}

/**
 * Checks that Helm could read a Chart.lock or requirements.lock.
 *
 * @throws Fault `invalid_package`
 */
export function checkLock(bytes: Uint8Array, file: string): void {
  const yaml = parseGoYaml(bytes, file) ?? null;
  if (yaml !== null) inFile(file, () => decodeStruct(LOCK, yaml, undefined, file));
}

function inFile<Value>(file: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Fault) || error.message.startsWith(file)) throw error;
    throw new Fault(error.code, `${file} cannot be read: ${error.message}`, { cause: error });
  }
}

/**
 * Checks and cleans metadata by the rules of Helm's own Metadata.Validate: what fails here Helm would refuse to
 * load, or silently leave out of a repository's index.
 *
 * @throws Fault `invalid_name`, `invalid_version` or `invalid_package`
 */
export function validateMetadata(metadata: ChartMetadata): ChartMetadata {
  const clean = {
    ...metadata,
    ...sanitized(metadata, [
      'name',
      'description',
      'home',
      'icon',
      'condition',
      'tags',
      'appVersion',
      'kubeVersion',
    ]),
    ...listsOf(metadata),
  };
  if (!isPresent(clean.apiVersion)) {
    throw new Fault('invalid_package', 'the chart has no apiVersion: add "apiVersion: v2" to Chart.yaml');
  }
  checkName(clean.name);
  checkVersion(clean.version);
  if (isPresent(clean.type) && clean.type !== 'application' && clean.type !== 'library') {
    throw new Fault(
      'invalid_package',
      `type in Chart.yaml must be "application" or "library", not "${clean.type}"`,
    );
  }
  return clean;
}

function listsOf({ sources, keywords, maintainers, dependencies }: ChartMetadata): ChartMetadata {
  return {
    ...(sources && { sources: sources.map(sanitize) }),
    ...(keywords && { keywords: keywords.map(sanitize) }),
    ...(maintainers && { maintainers: maintainers.map(validateMaintainer) }),
    ...(dependencies && { dependencies: validateDependencies(dependencies) }),
  };
}

function checkName(name: string | undefined): void {
  if (!isPresent(name)) throw new Fault('invalid_name', 'Chart.yaml names no chart: add "name: …" to it');
  // filepath.Base(name) must be the name.
  if (name === '.' || name === '..' || name.includes('/')) {
    throw new Fault('invalid_name', `"${name}" is not a chart name`);
  }
}

function checkVersion(version: string | undefined): void {
  if (!isPresent(version))
    throw new Fault('invalid_version', 'Chart.yaml has no version: add "version: 1.2.3" to it');
  if (parseSemver(version) === undefined) {
    const hint = 'use semantic versioning (https://semver.org), like 1.2.3';
    throw new Fault('invalid_version', `"${version}" is not a version: ${hint}`);
  }
}

function validateMaintainer(maintainer: Maintainer | undefined): Maintainer {
  if (maintainer === undefined)
    throw new Fault('invalid_package', 'maintainers in Chart.yaml has an empty entry');
  return { ...maintainer, ...sanitized(maintainer, ['name', 'email', 'url']) };
}

function validateDependencies(dependencies: readonly (Dependency | undefined)[]): Dependency[] {
  const taken = new Set<string>();
  return dependencies.map((dependency) => {
    const clean = validateDependency(dependency);
    const key = isPresent(clean.alias) ? clean.alias : (clean.name ?? '');
    if (taken.has(key)) {
      throw new Fault('invalid_package', `more than one dependency is called "${key}": give one an alias`);
    }
    taken.add(key);
    return clean;
  });
}

function validateDependency(dependency: Dependency | undefined): Dependency {
  if (dependency === undefined)
    throw new Fault('invalid_package', 'dependencies in Chart.yaml has an empty entry');
  const { alias, tags } = dependency;
  if (isPresent(alias) && !/^[a-zA-Z0-9_-]+$/.test(alias)) {
    throw new Fault('invalid_package', `"${alias}" cannot be an alias: use letters, digits, "_" and "-"`);
  }
  return {
    ...dependency,
    ...sanitized(dependency, ['name', 'version', 'repository', 'condition']),
    ...(tags && { tags: tags.map(sanitize) }),
  };
}

function sanitized<Field extends string>(
  struct: { readonly [Key in Field]?: string },
  fields: readonly Field[],
): { [Key in Field]?: string } {
  const clean: { [Key in Field]?: string } = {};
  for (const field of fields) {
    const value = struct[field];
    if (value !== undefined) clean[field] = sanitize(value);
  }
  return clean;
}

/** sanitizeString of pkg/chart/metadata.go: white space becomes a blank, what cannot be printed goes. */
function sanitize(value: string): string {
  return value.replace(/\p{White_Space}/gu, ' ').replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');
}

/**
 * The metadata as an index holds it: keys in ChartMuseum's order, what is empty left out (Go's `omitempty`).
 */
export function indexFields(metadata: ChartMetadata): Record<string, unknown> {
  const fields = pick(METADATA, metadata);
  if (isPresent(metadata.maintainers)) {
    fields['maintainers'] = metadata.maintainers.map((one) => pick(MAINTAINER, one ?? {}));
  }
  if (isPresent(metadata.dependencies)) fields['dependencies'] = metadata.dependencies.map(indexDependency);
  if (isPresent(metadata.annotations)) {
    const sorted = [...metadata.annotations].sort(([a], [b]) => compareBytes(a, b));
    fields['annotations'] = Object.fromEntries(sorted); // defines "__proto__" as a key like any other
  }
  return fields;
}

function indexDependency(dependency: Dependency | undefined): Record<string, unknown> {
  const { name = '', repository = '', ...others } = dependency ?? {};
  // name and repository are the two that Helm always writes.
  const { version, ...rest } = pick(DEPENDENCY, others);
  return { name, ...(version !== undefined && { version }), repository, ...rest };
}

function pick(order: object, struct: object): Record<string, unknown> {
  const values = new Map<string, unknown>(Object.entries(struct));
  const present = Object.keys(order).filter((key) => isPresent(values.get(key)));
  return Object.fromEntries(present.map((key) => [key, values.get(key)]));
}

/** Whether Go's `omitempty` keeps a value. */
function isPresent<Value>(value: Value | undefined): value is Value {
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== '' && value !== false;
}
