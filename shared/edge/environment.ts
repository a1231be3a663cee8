import { randomInt, randomUUID } from 'node:crypto';
import { systemClock } from '../clock.ts';
import { environmentVariables } from '../contract.ts';
import type { IndexSettings } from '../domain/entry.ts';
import { MOST_ID } from '../domain/label.ts';
import type { RepositorySettings } from '../domain/settings.ts';
import type { Happening } from '../happening.ts';
import { type RepositoryGate, repositoryGate } from '../known-repositories.ts';
import type { Notice } from '../refresh.ts';
import { type SettingsReader, settingsReader } from '../repository-settings.ts';
import type { AccountStore } from '../store/account-store.ts';
import { accountsTable } from '../store/accounts-table.ts';
import type { AuditStore } from '../store/audit-store.ts';
import { auditTable } from '../store/audit-table.ts';
import { dynamoClient } from '../store/dynamo-client.ts';
import type { FailureStore } from '../store/failure-store.ts';
import { failuresTable } from '../store/failures-table.ts';
import { knownRepositoriesTable } from '../store/known-repositories-table.ts';
import type { KnownRepositoryStore } from '../store/known-repository-store.ts';
import type { LabelStore } from '../store/label-store.ts';
import { labelsTable } from '../store/labels-table.ts';
import { type LightBucket, lightBucket } from '../store/light-bucket.ts';
import type { PointerStore } from '../store/pointer-store.ts';
import { pointersTable } from '../store/pointers-table.ts';
import { repositoriesTable } from '../store/repositories-table.ts';
import type { RepositoryStore } from '../store/repository-store.ts';
import { ownS3Endpoint } from '../store/s3-endpoint.ts';
import type { SettingsStore } from '../store/settings-store.ts';
import { settingsTable } from '../store/settings-table.ts';
import type { UploadStore } from '../store/upload-store.ts';
import { uploadsTable } from '../store/uploads-table.ts';
import type { VersionStore } from '../store/version-store.ts';
import { versionsTable } from '../store/versions-table.ts';
import type { TokenSettings } from '../token-credentials.ts';
import type { FormFields } from './form.ts';

/** What the stack tells its functions (shared/contract.ts). */
export type Environment = {
  readonly access: 'open' | 'closed';
  /** There when tokens are taken. */
  readonly tokens: TokenSettings | undefined;
  readonly maxUploadBytes: number;
  readonly maxPackageBytes: number;
  readonly formFields: FormFields;
  /** What the deployment says for all repositories. */
  readonly repositorySettings: Partial<RepositorySettings>;
  /** Whether publishing makes a repository that is not there, where access is closed. */
  readonly createOnPublish: boolean;
  readonly apiEnabled: boolean;
  /** How many days the audit is kept. */
  readonly auditDays: number;
  readonly indexSettings: IndexSettings;
  /** @throws Error if the stack did not name it */
  readonly tableName: () => string;
  /** @throws Error if the stack did not name it */
  readonly bucketName: () => string;
  /** @throws Error if the stack did not name it */
  readonly adminSecretArn: () => string;
  /** @throws Error if the stack did not say it */
  readonly apiUrl: () => string;
};

// As ChartMuseum's and Harbor's limit; the bucket takes what a function does not.
const DEFAULT_MAX_PACKAGE_BYTES = 20 * 1024 * 1024;

// Lambda takes 6 MB of base64, which is 4.5 MB of package; below that the refusal is ours, in our words.
const DEFAULT_MAX_UPLOAD_BYTES = 4 * 1024 * 1024;

const DEFAULT_AUDIT_DAYS = 400;

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
    tokens: parseTokens(read('tokens')),
    maxUploadBytes: parsePositive('maxUploadBytes', read('maxUploadBytes'), DEFAULT_MAX_UPLOAD_BYTES),
    maxPackageBytes: parsePositive('maxPackageBytes', read('maxPackageBytes'), DEFAULT_MAX_PACKAGE_BYTES),
    formFields: JSON.parse(read('formFields') ?? '{"chart":"chart","prov":"prov"}') as FormFields,
    repositorySettings: JSON.parse(read('repositorySettings') ?? '{}') as Partial<RepositorySettings>,
    createOnPublish: read('createOnPublish') === 'true',
    apiEnabled: read('apiEnabled') !== 'false',
    auditDays: parsePositive('auditDays', read('auditDays'), DEFAULT_AUDIT_DAYS),
    indexSettings: parseIndexSettings(read('indexSettings')),
    tableName: need('table'),
    bucketName: need('bucket'),
    adminSecretArn: need('adminSecret'),
    apiUrl: need('apiUrl'),
  };
}

/** Whoever says nothing gets the safe mode. */
function parseAccess(text = 'closed'): 'open' | 'closed' {
  if (text === 'open' || text === 'closed') return text;
  throw new Error(`${environmentVariables.access} is "open" or "closed", not "${text}"`);
}

function parsePositive(
  name: 'maxUploadBytes' | 'maxPackageBytes' | 'auditDays',
  text: string | undefined,
  fallback: number,
): number {
  if (text === undefined) return fallback;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new Error(`${environmentVariables[name]} is a positive number, not "${text}"`);
}

/** The stack checked each value when it was synthesized. */
function parseTokens(text: string | undefined): TokenSettings | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as TokenSettings);
}

/** As for tokens. */
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

export function pointers(environment: Environment): PointerStore {
  dynamo ??= dynamoClient();
  return pointersTable(dynamo, environment.tableName());
}

export function uploads(environment: Environment): UploadStore {
  dynamo ??= dynamoClient();
  return uploadsTable(dynamo, environment.tableName());
}

export function settings(environment: Environment): SettingsStore {
  dynamo ??= dynamoClient();
  return settingsTable(dynamo, environment.tableName(), environment.auditDays);
}

export function accounts(environment: Environment): AccountStore {
  dynamo ??= dynamoClient();
  return accountsTable(dynamo, environment.tableName(), environment.auditDays);
}

export function audit(environment: Environment): AuditStore {
  dynamo ??= dynamoClient();
  return auditTable(dynamo, environment.tableName(), environment.auditDays);
}

export function failures(environment: Environment): FailureStore {
  dynamo ??= dynamoClient();
  return failuresTable(dynamo, environment.tableName());
}

export function knownRepositories(environment: Environment): KnownRepositoryStore {
  dynamo ??= dynamoClient();
  return knownRepositoriesTable(dynamo, environment.tableName(), environment.auditDays);
}

export function labels(environment: Environment): LabelStore {
  dynamo ??= dynamoClient();
  return labelsTable(dynamo, environment.tableName(), environment.auditDays);
}

export function repositories(environment: Environment): RepositoryStore {
  dynamo ??= dynamoClient();
  return repositoriesTable(dynamo, environment.tableName());
}

/** Whether repositories are there, read anew at each call. */
export function gate(environment: Environment): RepositoryGate {
  return repositoryGate(knownDependencies(environment), environment);
}

/** All that making and deleting repositories needs. */
export function knownDependencies(environment: Environment) {
  return { knownRepositories: knownRepositories(environment), clock: systemClock, newId: randomUUID };
}

/** All that making, changing and deleting labels needs. */
export function labelDependencies(environment: Environment) {
  return {
    labels: labels(environment),
    clock: systemClock,
    newId: randomUUID,
    newLabelId: () => randomInt(1, MOST_ID),
  };
}

/** All that saying who may see a label needs. */
export function labelAccess(environment: Environment) {
  return { ...gate(environment), labels: labels(environment), settingsOf: settingsOf(environment) };
}

/** What holds for a repository, read anew at each call. */
export function settingsOf(environment: Environment): SettingsReader {
  return settingsReader(settings(environment), environment.repositorySettings);
}

/** The bucket for the hot functions: the S3 client is loaded by what the light one leaves to it. */
export function lightObjects(environment: Environment): LightBucket {
  dynamo ??= dynamoClient();
  const bucketName = environment.bucketName();
  return lightBucket(dynamo.config, { bucketName, endpoint: ownS3Endpoint(process.env) }, async () => {
    const { s3Bucket } = await import('../store/s3-client.ts');
    return s3Bucket(bucketName);
  });
}

/** All that reading an index needs, in a hot function. */
export function lightIndexDependencies(environment: Environment) {
  return {
    ...indexStores(environment),
    objects: lightObjects(environment),
    report: async (notice: Notice) => (await import('./report.ts')).reportNotice(notice),
    observe: async (happening: Happening) => (await import('./report.ts')).reportHappening(happening),
  };
}

/** What refreshing and reading an index needs beside the bucket. */
export function indexStores(environment: Environment) {
  return {
    versions: versions(environment),
    pointers: pointers(environment),
    audit: audit(environment),
    settings: environment.indexSettings,
    settingsOf: settingsOf(environment),
    clock: systemClock,
    newId: randomUUID,
  };
}
