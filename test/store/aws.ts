import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { table } from '../../shared/contract.ts';
import { accountsTable } from '../../shared/store/accounts-table.ts';
import { auditTable } from '../../shared/store/audit-table.ts';
import { bucket } from '../../shared/store/bucket.ts';
import { failuresTable } from '../../shared/store/failures-table.ts';
import { knownRepositoriesTable } from '../../shared/store/known-repositories-table.ts';
import { labelsTable } from '../../shared/store/labels-table.ts';
import { pointersTable } from '../../shared/store/pointers-table.ts';
import { repositoriesTable } from '../../shared/store/repositories-table.ts';
import { settingsTable } from '../../shared/store/settings-table.ts';
import { uploadsTable } from '../../shared/store/uploads-table.ts';
import { versionsTable } from '../../shared/store/versions-table.ts';
import type { Stores } from './contract.ts';

/** Where a pair of servers answers, and as whom we speak to them. */
export type Servers = {
  readonly dynamodb: string;
  readonly s3: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
};

// A server that is not ours may be asked again.
const tableName = `store-contract-${randomUUID()}`;
const KEEP_DAYS = 400;
export const bucketName = `store-contract-${randomUUID()}`;

/** The real stores over these servers, with a table of their own; the bucket must be there. */
export async function awsStores(servers: Servers) {
  const { region, credentials } = servers;
  const dynamodb = new DynamoDBClient({ region, credentials, endpoint: servers.dynamodb });
  const client = new S3Client({
    region,
    credentials,
    endpoint: servers.s3,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  await createTable(dynamodb, tableName);
  const objects = bucket(client, bucketName);
  const stores: Stores = {
    versions: versionsTable(dynamodb, tableName),
    pointers: pointersTable(dynamodb, tableName),
    objects,
    repositories: repositoriesTable(dynamodb, tableName),
    settings: settingsTable(dynamodb, tableName, KEEP_DAYS),
    audit: auditTable(dynamodb, tableName, KEEP_DAYS),
    uploads: uploadsTable(dynamodb, tableName),
    accounts: accountsTable(dynamodb, tableName, KEEP_DAYS),
    failures: failuresTable(dynamodb, tableName),
    knownRepositories: knownRepositoriesTable(dynamodb, tableName, KEEP_DAYS),
    labels: labelsTable(dynamodb, tableName, KEEP_DAYS),
    s3: { client, bucketName, endpoint: servers.s3, region, credentials, objects },
  };
  const close = () => {
    dynamodb.destroy();
    client.destroy();
  };
  return { ...stores, client, close };
}

/** Creates a table like that of the stack. */
export async function createTable(client: DynamoDBClient, tableName: string): Promise<void> {
  const attributes = [table.partitionKey, table.sortKey, table.unindexedAttribute];
  await client.send(
    new CreateTableCommand({
      TableName: tableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes.map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: keySchema(table.sortKey),
      LocalSecondaryIndexes: [
        {
          IndexName: table.unindexedIndex,
          KeySchema: keySchema(table.unindexedAttribute),
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
}

function keySchema(sortKey: string) {
  return [
    { AttributeName: table.partitionKey, KeyType: 'HASH' as const },
    { AttributeName: sortKey, KeyType: 'RANGE' as const },
  ];
}
