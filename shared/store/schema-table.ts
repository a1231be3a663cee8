import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { partitions, table } from '../contract.ts';
import { applied, namesIn } from './conditional.ts';
import { type Item, numberOf, textOf } from './item-keys.ts';
import type { SchemaStore } from './schema-store.ts';

const key: Item = {
  [table.partitionKey]: { S: partitions.deployment },
  [table.sortKey]: { S: 'schema' },
};

const nothingIsNoted = `attribute_not_exists(#${table.partitionKey})`;

/** The schema of the items, as an item among them. */
export function schemaTable(client: DynamoDBClient, tableName: string): SchemaStore {
  return {
    async begin(first) {
      const noted = await client.send(
        new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
      );
      if (noted.Item !== undefined) {
        return { schema: numberOf(noted.Item, 'schema'), version: textOf(noted.Item, 'version') };
      }
      const isFirst = await applied(
        client.send(
          new PutItemCommand({
            TableName: tableName,
            Item: { ...key, schema: { N: String(first.schema) }, version: { S: first.version } },
            ConditionExpression: nothingIsNoted,
            ExpressionAttributeNames: namesIn(nothingIsNoted),
          }),
        ),
      );
      return isFirst ? first : await this.begin(first);
    },
  };
}
