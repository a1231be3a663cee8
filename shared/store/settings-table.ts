import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Repository } from '../domain/repository.ts';
import type { AllRepositorySettings } from '../domain/settings.ts';
import { writeAudited } from './audit-table.ts';
import { namesIn } from './conditional.ts';
import { type Item, itemKey, textOf } from './item-keys.ts';
import type { SettingsStore } from './settings-store.ts';

/** The settings in DynamoDB, beside the versions of their repository. */
export function settingsTable(client: DynamoDBClient, tableName: string, keepDays: number): SettingsStore {
  const audited = { tableName, keepDays };
  return {
    async get(repository) {
      const key = itemKey(repository, 'settings');
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
      );
      return item === undefined
        ? {}
        : (JSON.parse(textOf(item, 'settings')) as Partial<AllRepositorySettings>);
    },

    async put(repository, settings, change) {
      const put = { TableName: tableName, Item: settingsItem(repository, settings) };
      await writeAudited(client, audited, change, [{ Put: put }]);
    },

    replace(repository, seen, settings, change) {
      // Who says nothing may have no item, or an empty one. JSON is written again as it was read.
      const isNothing = Object.keys(seen).length === 0;
      const condition = `${isNothing ? `attribute_not_exists(#${table.partitionKey}) OR ` : ''}#settings = :seen`;
      const put = {
        TableName: tableName,
        Item: settingsItem(repository, settings),
        ConditionExpression: condition,
        ExpressionAttributeNames: namesIn(condition),
        ExpressionAttributeValues: { ':seen': { S: JSON.stringify(seen) } },
      };
      return writeAudited(client, audited, change, [{ Put: put }]);
    },
  };
}

/** What a repository says of itself, as an item. */
export const settingsItem = (repository: Repository, settings: Partial<AllRepositorySettings>): Item => ({
  ...itemKey(repository, 'settings'),
  settings: { S: JSON.stringify(settings) },
});
