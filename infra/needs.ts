import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { mergedPrefixes, table as names, partitions, prefixes } from '../shared/contract.ts';
import type { BundledFunction } from './bundled-function.ts';
import type { ChartBucket } from './chart-bucket.ts';
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
  /** Whether it also reads the marks, by the table's local index. */
  readonly marks?: boolean;
  /** What it calls on the items of accounts. */
  readonly accounts?: readonly TableAction[];
  /** Whether it notes in them when a secret was used, and nothing else. */
  readonly uses?: boolean;
  /** What it calls on the counts of wrong passwords. */
  readonly failures?: readonly TableAction[];
  /** What it calls on the items that say which repositories there are. */
  readonly known?: readonly TableAction[];
  /** What it calls on the labels that there are; which ones a version has is in the version's item. */
  readonly labels?: readonly TableAction[];
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
  for (const statement of [...tableStatements(needs, stores), ...objectStatements(needs, stores)]) {
    target.allow(statement);
  }
}

function tableStatements(
  {
    table = [],
    marks = false,
    accounts = [],
    uses = false,
    failures = [],
    known = [],
    labels = [],
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
  const ofRepositories = [`${partitions.repository}*`];
  const ofAudit = [`${partitions.audit}*`];
  const putsInto = [
    ...(table.includes('PutItem') ? ofRepositories : []),
    ...(accounts.includes('PutItem') ? [partitions.accounts] : []),
    ...(known.includes('PutItem') ? [partitions.knownRepositories] : []),
    ...(labels.includes('PutItem') ? [partitions.labels] : []),
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
