import { type AttributeValue, type DynamoDBClient, paginateQuery } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import { namesIn } from './conditional.ts';
import type { Item } from './item-keys.ts';

/** A part of a partition, by its sort keys: both ends are in it. */
export type Stretch = {
  readonly partition: AttributeValue;
  readonly from: string;
  readonly to: string;
  /** In descending order of the sort key. @default false */
  readonly descending?: boolean;
};

const condition = `#${table.partitionKey} = :partition AND #${table.sortKey} BETWEEN :from AND :to`;

/** Every item of a stretch, page after page, each by a strong read. */
export async function* itemsBetween(
  client: DynamoDBClient,
  tableName: string,
  { partition, from, to, descending = false }: Stretch,
): AsyncGenerator<Item> {
  // DynamoDB refuses a stretch that ends before it begins.
  if (to < from) return;
  const pages = paginateQuery(
    { client },
    {
      TableName: tableName,
      ConsistentRead: true,
      ScanIndexForward: !descending,
      KeyConditionExpression: condition,
      ExpressionAttributeNames: namesIn(condition),
      ExpressionAttributeValues: { ':partition': partition, ':from': { S: from }, ':to': { S: to } },
    },
  );
  for await (const { Items: items = [] } of pages) yield* items;
}
