import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { mergedPrefixes, table as names, partitions, prefixes } from '../shared/contract.ts';
import type { BundledFunction } from './bundled-function.ts';
import type { ChartBucket } from './chart-bucket.ts';
import { usingKey } from './key.ts';
import type { MetadataTable } from './metadata-table.ts';

type TableAction = 'GetItem' | 'Query' | 'Scan' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/** With `ListBucket` S3 answers 404 for a key that is not there, without it 403. */
type ObjectAction =
  | 'GetObject'
  | 'GetObjectVersion'
  | 'PutObject'
  | 'AbortMultipartUpload'
  | 'DeleteObject'
  | 'DeleteObjectVersion'
  | ListAction;
type ListAction = 'ListBucket' | 'ListBucketVersions';

const objectPrefixes = { ...prefixes, ...mergedPrefixes };

/** What a function calls, and so all that it may do. */
export type Needs = {
  /** What it calls on the items of repositories; a scan is of the whole table. */
  readonly table?: readonly TableAction[];
  /** The one repository that this is bounded to. @default all of them */
  readonly onlyIn?: string;
  /** Whether it also reads the marks, by the table's local index. */
  readonly marks?: boolean;
  /** What it calls on the items of accounts. */
  readonly accounts?: readonly TableAction[];
  /** What it calls on the canary's account, which is none of them. */
  readonly canary?: readonly TableAction[];
  /** Whether it notes in accounts when a secret was used, and nothing else. */
  readonly uses?: boolean;
  /** What it calls on the counts of wrong passwords. */
  readonly failures?: readonly TableAction[];
  /** What it calls on the items that say which repositories there are. */
  readonly known?: readonly TableAction[];
  /** What it calls on the labels that there are; which ones a version has is in the version's item. */
  readonly labels?: readonly TableAction[];
  /** What it calls on the item that says by which schema the others are written. */
  readonly deployment?: readonly TableAction[];
  /** `write`: tells the audit of changes, and can neither read nor delete what is there. */
  readonly audit?: 'write' | 'read';
  readonly objects?: { readonly [Prefix in keyof typeof objectPrefixes]?: readonly ObjectAction[] };
  /** Whether it goes over all repositories: lists those that have objects. */
  readonly repositories?: boolean;
  /** Whether it notes how far it got in that, to go on there. */
  readonly progress?: boolean;
};

type Stores = { readonly metadata: MetadataTable; readonly charts: ChartBucket };

/** Writes a function's needs into its role, and nothing more. */
export function grantNeeds(target: BundledFunction, needs: Needs, stores: Stores): void {
  const onTable = tableStatements(needs, stores);
  const onObjects = objectStatements(needs, stores);
  const onKey = keyStatements(needs, stores, onTable.length > 0);
  for (const statement of [...onTable, ...onObjects, ...onKey]) target.allow(statement);
}

/** What the table and the bucket do with a key that is given, they do in the name of who calls them. */
function keyStatements(
  { objects = {} }: Needs,
  { metadata, charts }: Stores,
  usesTable: boolean,
): PolicyStatement[] {
  const actions = Object.values(objects).flat();
  const reads = actions.some((action) => action.startsWith('GetObject'));
  const puts = actions.includes('PutObject');
  const { encryptionKey: ofTable } = metadata.table;
  const { encryptionKey: ofBucket } = charts.bucket;
  return [
    // A write too: what lies between the key and the items is decrypted for either.
    ...(ofTable !== undefined && usesTable ? [usingKey(['Decrypt'], ofTable, 'dynamodb')] : []),
    // Who puts in parts reads as well, so that it may decrypt them to put them together.
    ...(ofBucket !== undefined && reads ? [usingKey(['Decrypt'], ofBucket, 's3')] : []),
    ...(ofBucket !== undefined && puts ? [usingKey(['GenerateDataKey'], ofBucket, 's3')] : []),
  ];
}

function tableStatements(
  {
    table = [],
    onlyIn = '*',
    marks = false,
    accounts = [],
    canary = [],
    uses = false,
    failures = [],
    known = [],
    labels = [],
    deployment = [],
    audit,
    progress = false,
  }: Needs,
  { metadata }: Stores,
): PolicyStatement[] {
  const allow = (
    actions: readonly TableAction[],
    resource: string,
    keys: readonly string[],
    attributes: readonly string[] = [],
  ) =>
    actions.length === 0
      ? []
      : new PolicyStatement({
          actions: actions.map((action) => `dynamodb:${action}`),
          resources: [resource],
          ...(keys.length > 0 && {
            conditions: {
              'ForAllValues:StringLike': {
                'dynamodb:LeadingKeys': keys,
                ...(attributes.length > 0 && { 'dynamodb:Attributes': attributes }),
              },
            },
          }),
        });
  const { tableArn } = metadata.table;
  const ofRepositories = [`${partitions.repository}${onlyIn}`];
  const ofAudit = [`${partitions.audit}*`];
  const putsInto = [
    ...(table.includes('PutItem') ? ofRepositories : []),
    ...(accounts.includes('PutItem') ? [partitions.accounts] : []),
    ...(canary.includes('PutItem') ? [partitions.canary] : []),
    ...(known.includes('PutItem') ? [partitions.knownRepositories] : []),
    ...(labels.includes('PutItem') ? [partitions.labels] : []),
    ...(deployment.includes('PutItem') ? [partitions.deployment] : []),
    ...(audit === 'write' ? ofAudit : []),
    ...(progress ? [partitions.reconciliation] : []),
  ];
  return [
    allow(
      table.filter((action) => action !== 'Scan' && action !== 'PutItem'),
      tableArn,
      ofRepositories,
    ),
    // All puts in one statement: those of one transaction are in several partitions.
    allow(putsInto.length === 0 ? [] : ['PutItem'], tableArn, putsInto),
    allow(audit === 'read' ? ['Query'] : [], tableArn, ofAudit),
    allow(progress ? ['GetItem'] : [], tableArn, [partitions.reconciliation]),
    // A scan names no key that could bound it.
    allow(
      table.filter((action) => action === 'Scan'),
      tableArn,
      [],
    ),
    allow(
      accounts.filter((action) => action !== 'PutItem'),
      tableArn,
      [partitions.accounts],
    ),
    allow(
      canary.filter((action) => action !== 'PutItem'),
      tableArn,
      [partitions.canary],
    ),
    allow(
      known.filter((action) => action !== 'PutItem'),
      tableArn,
      [partitions.knownRepositories],
    ),
    allow(
      labels.filter((action) => action !== 'PutItem'),
      tableArn,
      [partitions.labels],
    ),
    allow(
      deployment.filter((action) => action !== 'PutItem'),
      tableArn,
      [partitions.deployment],
    ),
    allow(
      uses ? ['UpdateItem'] : [],
      tableArn,
      [partitions.accounts],
      [names.partitionKey, names.sortKey, `${names.usedAttribute}*`],
    ),
    allow(failures, tableArn, [`${partitions.failures}*`]),
    allow(marks ? ['Query'] : [], metadata.unindexedIndexArn, []),
  ].flat();
}

function objectStatements(
  { objects = {}, repositories = false }: Needs,
  { charts }: Stores,
): PolicyStatement[] {
  const rows = Object.entries(objectPrefixes).map(([name, prefix]) => ({
    prefix,
    actions: objects[name as keyof typeof objectPrefixes] ?? [],
  }));
  const ofRows = rows.flatMap(({ prefix, actions }) => {
    const onObjects = actions.filter((action) => !isList(action));
    return [
      ...(onObjects.length > 0
        ? [
            new PolicyStatement({
              actions: onObjects.map((action) => `s3:${action}`),
              resources: [charts.bucket.arnForObjects(`${prefix}*`)],
            }),
          ]
        : []),
      ...(actions.some(isList) ? [listing(actions.filter(isList), [`${prefix}*`], charts)] : []),
    ];
  });
  // The root repository's folder begins with the slash that ends the prefix: it is listed without.
  const { charts: packages, files, index, inbox } = prefixes;
  const beginnings = [packages, files, index, inbox].map((prefix) => prefix.slice(0, -1));
  return [...ofRows, ...(repositories ? [listing(['ListBucket'], beginnings, charts)] : [])];
}

const isList = (action: ObjectAction): action is ListAction => action.startsWith('ListBucket');

/** S3 compares the key of a GET or HEAD with `s3:prefix` when it chooses between 404 and 403. */
function listing(
  actions: readonly ListAction[],
  patterns: readonly string[],
  { bucket }: ChartBucket,
): PolicyStatement {
  return new PolicyStatement({
    actions: actions.map((action) => `s3:${action}`),
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': patterns.length === 1 ? patterns[0] : patterns } },
  });
}
