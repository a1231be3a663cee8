/**
 * What the stack (infra/) and the code that runs in it agree on by name. Plain data: this file imports
 * nothing, since a CDK import here would ride in every Lambda bundle.
 */

/** Environment variables of the functions; infra sets them, shared/edge/environment.ts reads them. */
export const environmentVariables = {
  /** Name of the DynamoDB table. */
  table: 'TABLE_NAME',
  /** Name of the S3 bucket. */
  bucket: 'BUCKET_NAME',
  /** Name of the stack, as Powertools wants it told: the dimension of every metric. */
  serviceName: 'POWERTOOLS_SERVICE_NAME',
  /** `open` or `closed`. */
  access: 'ACCESS',
  /** ARN of the Secrets Manager secret that the admin's account begins with; only what seeds it has it. */
  adminSecret: 'ADMIN_SECRET_ARN',
  /** JSON of TokenSettings (shared/token-credentials.ts); set only where tokens are taken. */
  tokens: 'TOKENS',
  /** JSON of IndexSettings (shared/domain/index-file.ts): what changes the bytes of an index. */
  indexSettings: 'INDEX_SETTINGS',
  /** Largest package that a direct upload may carry, in bytes. */
  maxUploadBytes: 'MAX_UPLOAD_BYTES',
  /** Largest package that an upload through the bucket may carry, in bytes. */
  maxPackageBytes: 'MAX_PACKAGE_BYTES',
  /** JSON of FormFields (shared/edge/form.ts): the form fields of an upload. */
  formFields: 'FORM_FIELDS',
  /** JSON of RepositorySettings (shared/domain/settings.ts): what the deployment says for all repositories. */
  repositorySettings: 'REPOSITORY_SETTINGS',
  /** `true` where publishing makes a repository that is not there, though access is closed. */
  createOnPublish: 'CREATE_ON_PUBLISH',
  /** `false` where there is no API below `/api`. */
  apiEnabled: 'API_ENABLED',
  /** Where clients find the root repository; only the canary has it. */
  apiUrl: 'API_URL',
  /** How many days the audit is kept. */
  auditDays: 'AUDIT_DAYS',
} as const;

/** Key attributes of the table and its local secondary index (docs/decisions/one-item-per-version.md). */
export const table = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Sparse local index over the marks: only items that carry the attribute are in it. */
  unindexedIndex: 'unindexed',
  unindexedAttribute: 'unindexed',
  /** With the id of a robot's secret behind it: when the secret was used. */
  usedAttribute: 'used-',
  /** Seconds since 1970 after which DynamoDB may drop an item; versions and accounts never have it. */
  forgetAttribute: 'forgetAt',
} as const;

/** What the partition keys of the table begin with: the rights of a function are bounded by them. */
export const partitions = {
  /** One partition for each repository. */
  repository: 'repository#',
  /** One partition for all accounts but the canary's. */
  accounts: 'accounts',
  /** The canary's account alone: the canary writes it, and no other. */
  canary: 'canary',
  /** Partitions for the accounts that are guessed at, each from one address. */
  failures: 'failures#',
  /** One partition for the repositories that somebody made, so that they can be listed. */
  knownRepositories: 'repositories',
  /** One partition for the labels that versions can have. */
  labels: 'labels',
  /** How far reconciliation got. */
  reconciliation: 'reconciliation',
  /** One for each repository, account and day: who changed what. */
  audit: 'audit#',
  /** By which schema the items are written. */
  deployment: 'deployment',
} as const;

/** First parts of the bucket's keys. Events are sent for `charts/` and `inbox/`. */
export const prefixes = {
  charts: 'charts/',
  files: 'files/',
  index: 'index/',
  inbox: 'inbox/',
  rejected: 'rejected/',
} as const;

/** What begins the keys of what is made for an answer and kept for a day, and is no repository's own. */
export const mergedPrefix = 'merged/';

/** By whom it is made, so that nobody may read what another makes. */
export const mergedPrefixes = {
  /** Of several projects together. */
  mergedProjects: `${mergedPrefix}projects/`,
  /** Of one chart. */
  mergedChart: `${mergedPrefix}chart/`,
} as const;

/** The newest schema of the table's items that this code reads (docs/decisions/schema-version.md). */
export const dataSchema = 1;

/** How long the indexer may run: a full rebuild of 100,000 versions reads some 100 MB and takes well under a minute. */
export const indexerSeconds = 120;

/** The account that a closed deployment begins with; it may do everything. */
export const adminAccount = 'admin';

/** The account of the canary, and the repository that it publishes to. */
export const canaryName = 'chartroom-canary';

/** Where the admin's password lies in the secret, which is a JSON object; beside it `username`. */
export const adminPasswordKey = 'password';
