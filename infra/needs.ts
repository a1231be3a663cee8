import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { prefixes } from '../shared/contract.ts';
import type { BundledFunction } from './bundled-function.ts';
import type { ChartBucket } from './chart-bucket.ts';
import type { MetadataTable } from './metadata-table.ts';

type TableAction = 'GetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/** `ListBucket` lists nothing here: with it S3 answers 404 for a key that is not there, without it 403. */
type ObjectAction = 'GetObject' | 'PutObject' | 'DeleteObject' | 'ListBucket';

/** What a function calls, and so all that it may do. */
export type Needs = {
  readonly table?: readonly TableAction[];
  /** Whether it also reads the marks, by the table's local index. */
  readonly marks?: boolean;
  readonly objects?: { readonly [Prefix in keyof typeof prefixes]?: readonly ObjectAction[] };
};

type Stores = { readonly metadata: MetadataTable; readonly charts: ChartBucket };

/** Writes a function's needs into its role, and nothing more. */
export function grantNeeds({ role }: BundledFunction, needs: Needs, stores: Stores): void {
  for (const statement of [...tableStatements(needs, stores), ...objectStatements(needs, stores)]) {
    role.addToPrincipalPolicy(statement);
  }
}

function tableStatements({ table = [], marks = false }: Needs, { metadata }: Stores): PolicyStatement[] {
  const onTable = new PolicyStatement({
    actions: table.map((action) => `dynamodb:${action}`),
    resources: [metadata.table.tableArn],
  });
  const onIndex = new PolicyStatement({
    actions: ['dynamodb:Query'],
    resources: [metadata.unindexedIndexArn],
  });
  return [...(table.length > 0 ? [onTable] : []), ...(marks ? [onIndex] : [])];
}

function objectStatements({ objects = {} }: Needs, { charts }: Stores): PolicyStatement[] {
  const rows = Object.entries(prefixes).map(([name, prefix]) => ({
    prefix,
    actions: objects[name as keyof typeof prefixes] ?? [],
  }));
  return rows.flatMap(({ prefix, actions }) => {
    const onObjects = actions.filter((action) => action !== 'ListBucket');
    return [
      ...(onObjects.length > 0
        ? [
            new PolicyStatement({
              actions: onObjects.map((action) => `s3:${action}`),
              resources: [charts.bucket.arnForObjects(`${prefix}*`)],
            }),
          ]
        : []),
      ...(actions.includes('ListBucket') ? [listing(prefix, charts)] : []),
    ];
  });
}

/** S3 compares the key of a GET or HEAD with `s3:prefix` when it chooses between 404 and 403. */
function listing(prefix: string, { bucket }: ChartBucket): PolicyStatement {
  return new PolicyStatement({
    actions: ['s3:ListBucket'],
    resources: [bucket.bucketArn],
    conditions: { StringLike: { 's3:prefix': `${prefix}*` } },
  });
}
