import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { KnownRepository } from '../domain/known-repository.ts';
import { writeAudited } from './audit-table.ts';
import { namesIn } from './conditional.ts';
import {
  anyKnownRepository,
  endOf,
  type Item,
  knownRepositoryKey,
  knownRepositoryPartition,
  textOf,
} from './item-keys.ts';
import { itemsBetween } from './items-between.ts';
import type { KnownRepositoryStore } from './known-repository-store.ts';
import { revisedPut } from './revised-put.ts';
import { settingsPut } from './settings-table.ts';

/** The repositories that somebody made in DynamoDB, in a partition of their own. */
export function knownRepositoriesTable(
  client: DynamoDBClient,
  tableName: string,
  keepDays: number,
): KnownRepositoryStore {
  const audited = { tableName, keepDays };
  return {
    async get(path) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: knownRepositoryKey(path), ConsistentRead: true }),
      );
      return item && readKnown(item);
    },

    async *all(after) {
      const items = itemsBetween(client, tableName, {
        partition: knownRepositoryPartition,
        from: `${anyKnownRepository}${after ?? ''}`,
        to: endOf(anyKnownRepository),
      });
      for await (const item of items) {
        const known = readKnown(item);
        if (known.path !== after) yield known;
      }
    },

    put: (known, replaces, change, settings) =>
      writeAudited(client, audited, change, [
        revisedPut(tableName, writeKnown(known), replaces),
        ...(settings === undefined ? [] : [settingsPut(tableName, known.path, settings)]),
      ]),

    remove(path, revision, change) {
      const condition = '#revision = :revision';
      const remove = {
        TableName: tableName,
        Key: knownRepositoryKey(path),
        ConditionExpression: condition,
        ExpressionAttributeNames: namesIn(condition),
        ExpressionAttributeValues: { ':revision': { S: revision } },
      };
      return writeAudited(client, audited, change, [{ Delete: remove }]);
    },
  };
}

const writeKnown = (known: KnownRepository): Item => ({
  ...knownRepositoryKey(known.path),
  revision: { S: known.revision },
  repository: { S: JSON.stringify(known) },
});

const readKnown = (item: Item): KnownRepository => JSON.parse(textOf(item, 'repository')) as KnownRepository;
