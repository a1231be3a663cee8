import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { inParallel } from '../async-iteration.ts';
import { partitions, table } from '../contract.ts';
import { namesIn } from './conditional.ts';
import { endOf, type Item, itemKey, numberOf, partitionOf, readPartition, textOf } from './item-keys.ts';
import type { Progress, RepositoryStore } from './repository-store.ts';

// A query reads whole items, the largest of which have some hundred kilobytes.
const FORGOTTEN_TOGETHER = 100;

const progressKey: Item = {
  [table.partitionKey]: { S: partitions.reconciliation },
  [table.sortKey]: { S: 'progress' },
};

/** Repositories as wholes, in the same table as their versions. */
export function repositoriesTable(client: DynamoDBClient, tableName: string): RepositoryStore {
  async function read(key: Item): Promise<Item | undefined> {
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return item;
  }

  const write = async (item: Item) => {
    await client.send(new PutItemCommand({ TableName: tableName, Item: item }));
  };

  return {
    /**
     * A scan that reads one item of each partition and goes on after the last item that the partition could
     * have, so its cost follows the number of repositories and not of versions.
     */
    async *all(after) {
      let position = after === undefined ? undefined : endOfPartition(partitionOf(after));
      for (;;) {
        const { Items: items = [] } = await client.send(
          new ScanCommand({
            TableName: tableName,
            Limit: 1,
            ConsistentRead: true,
            ...(position && { ExclusiveStartKey: position }),
          }),
        );
        const [item] = items;
        if (item === undefined) return;
        const repository = readPartition(item);
        if (repository !== undefined) yield repository;
        position = endOfPartition(item[table.partitionKey]);
      }
    },

    async has(repository) {
      const condition = `#${table.partitionKey} = :partition`;
      const { Count: count = 0 } = await client.send(
        new QueryCommand({
          TableName: tableName,
          ConsistentRead: true,
          Limit: 1,
          KeyConditionExpression: condition,
          ExpressionAttributeNames: namesIn(condition),
          ExpressionAttributeValues: { ':partition': partitionOf(repository) },
        }),
      );
      return count > 0;
    },

    async counts(repository) {
      const item = await read(itemKey(repository, 'counts'));
      return item && { versions: numberOf(item, 'versions'), sizeBytes: numberOf(item, 'size') };
    },

    setCounts: (repository, { versions, sizeBytes }) =>
      write({
        ...itemKey(repository, 'counts'),
        versions: { N: String(versions) },
        size: { N: String(sizeBytes) },
      }),

    async forgetSome(repository) {
      const condition = `#${table.partitionKey} = :partition`;
      const keys = `#${table.partitionKey}, #${table.sortKey}`;
      const { Items: items = [] } = await client.send(
        new QueryCommand({
          TableName: tableName,
          ConsistentRead: true,
          Limit: FORGOTTEN_TOGETHER,
          KeyConditionExpression: condition,
          ProjectionExpression: keys,
          ExpressionAttributeNames: namesIn(condition, keys),
          ExpressionAttributeValues: { ':partition': partitionOf(repository) },
        }),
      );
      await inParallel(items, async (key) => {
        await client.send(new DeleteItemCommand({ TableName: tableName, Key: key }));
      });
      return items.length > 0;
    },

    async progress() {
      const item = await read(progressKey);
      return item && (JSON.parse(textOf(item, 'progress')) as Progress);
    },

    setProgress: (progress) => write({ ...progressKey, progress: { S: JSON.stringify(progress) } }),
  };
}

function endOfPartition(partition: Item[string] | undefined): Item {
  if (partition === undefined) throw new Error('an item without its partition key');
  return { [table.partitionKey]: partition, [table.sortKey]: { S: endOf('') } };
}
