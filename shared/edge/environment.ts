import { randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import { environmentVariables } from '../contract.ts';
import type { IndexSettings } from '../domain/entry.ts';
import { bucket } from '../store/bucket.ts';
import { dynamoClient, s3Client } from '../store/clients.ts';
import type { ObjectStore } from '../store/object-store.ts';
import type { PointerStore } from '../store/pointer-store.ts';
import { pointersTable } from '../store/pointers-table.ts';
import { repositoriesTable } from '../store/repositories-table.ts';
import type { VersionStore } from '../store/version-store.ts';
import { versionsTable } from '../store/versions-table.ts';
import { reportNotice } from './report.ts';

/** What the stack tells its functions (shared/contract.ts). */
export type Environment = {
  readonly access: 'open' | 'closed';
  /** There when access is closed. */
  readonly adminSecretArn: string | undefined;
  readonly allowOverwrite: boolean;
  readonly maxUploadBytes: number;
  readonly indexSettings: IndexSettings;
  /** @throws Error if the stack did not name it */
  readonly tableName: () => string;
  /** @throws Error if the stack did not name it */
  readonly bucketName: () => string;
};

// Lambda takes 6 MB of base64, which is 4.5 MB of package; below that the refusal is ours, in our words.
const DEFAULT_MAX_UPLOAD_BYTES = 4 * 1024 * 1024;

const DEFAULT_INDEX_SETTINGS: IndexSettings = { format: 'json', chartUrl: '', contextPath: '' };

/**
 * Reads the environment variables of a function.
 *
 * @throws Error for a value that cannot be used: a function that is half configured does not start
 */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const read = (name: keyof typeof environmentVariables) =>
    variables[environmentVariables[name]] || undefined;
  const need = (name: keyof typeof environmentVariables) => () => {
    const value = read(name);
    if (value === undefined) throw new Error(`${environmentVariables[name]} is not set`);
    return value;
  };
  return {
    access: parseAccess(read('access')),
    adminSecretArn: read('adminSecret'),
    allowOverwrite: read('allowOverwrite') === 'true',
    maxUploadBytes: parseBytes(read('maxUploadBytes')),
    indexSettings: parseIndexSettings(read('indexSettings')),
    tableName: need('table'),
    bucketName: need('bucket'),
  };
}

/** Whoever says nothing gets the safe mode. */
function parseAccess(text = 'closed'): 'open' | 'closed' {
  if (text === 'open' || text === 'closed') return text;
  throw new Error(`${environmentVariables.access} is "open" or "closed", not "${text}"`);
}

function parseBytes(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MAX_UPLOAD_BYTES;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${environmentVariables.maxUploadBytes} is a number of bytes, not "${text}"`);
}

/** The stack checked each value when it was synthesized. */
function parseIndexSettings(text: string | undefined): IndexSettings {
  if (text === undefined) return DEFAULT_INDEX_SETTINGS;
  return { ...DEFAULT_INDEX_SETTINGS, ...(JSON.parse(text) as Partial<IndexSettings>) };
}

// One client in an execution environment: its connections stay open for the next request.
let dynamo: ReturnType<typeof dynamoClient> | undefined;

// One function for each store: the bundler leaves out the stores (and the AWS clients) that nobody names.

export function versions(environment: Environment): VersionStore {
  dynamo ??= dynamoClient();
  return versionsTable(dynamo, environment.tableName());
}

function pointers(environment: Environment): PointerStore {
  dynamo ??= dynamoClient();
  return pointersTable(dynamo, environment.tableName());
}

export function objects(environment: Environment): ObjectStore {
  return bucket(s3Client(), environment.bucketName());
}

/** All that refreshing and reading an index needs. */
export function indexDependencies(environment: Environment) {
  return {
    versions: versions(environment),
    pointers: pointers(environment),
    objects: objects(environment),
    settings: environment.indexSettings,
    clock: systemClock,
    newId: randomUUID,
    report: reportNotice,
  };
}

/** All that reconciliation and repair need. */
export function reconcileDependencies(environment: Environment) {
  dynamo ??= dynamoClient();
  return {
    ...indexDependencies(environment),
    repositories: repositoriesTable(dynamo, environment.tableName()),
  };
}
