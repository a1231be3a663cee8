import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { AllRepositorySettings } from '../domain/settings.ts';
import { writeAudited } from './audit-table.ts';
import { itemKey, textOf } from './item-keys.ts';
import type { SettingsStore } from './settings-store.ts';

/** The settings in DynamoDB, beside the versions of their repository. */
export function settingsTable(client: DynamoDBClient, tableName: string, keepDays: number): SettingsStore {
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
      const item = { ...itemKey(repository, 'settings'), settings: { S: JSON.stringify(settings) } };
      const put = { TableName: tableName, Item: item };
      await writeAudited(client, { tableName, keepDays }, change, [{ Put: put }]);
    },
  };
}
