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
    async read() {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
      );
      return item && { schema: numberOf(item, 'schema'), version: textOf(item, 'version') };
    },

    async begin(first) {
      const noted = await this.read();
      if (noted !== undefined) return noted;
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
