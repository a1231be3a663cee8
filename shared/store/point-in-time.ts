import {
  DeleteTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  RestoreTableToPointInTimeCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';

// DynamoDB takes some minutes for a small table, and hours for a very large one.
const PATIENCE_SECONDS = 12 * 60 * 60;

/**
 * A table as it was, in another one beside it. The name says of when: whoever was cut off finds it again.
 *
 * @returns its name, once it can be read
 */
export async function tableAt(client: DynamoDBClient, tableName: string, at: Date): Promise<string> {
  const copy = `${tableName}-at-${at.toISOString().replaceAll(/[^0-9TZ]/g, '')}`;
  try {
    await client.send(new DescribeTableCommand({ TableName: copy }));
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
    await client.send(
      new RestoreTableToPointInTimeCommand({
        SourceTableName: tableName,
        TargetTableName: copy,
        RestoreDateTime: at,
      }),
    );
  }
  await waitUntilTableExists({ client, maxWaitTime: PATIENCE_SECONDS }, { TableName: copy });
  return copy;
}

export async function dropTable(client: DynamoDBClient, tableName: string): Promise<void> {
  await client.send(new DeleteTableCommand({ TableName: tableName }));
}
