import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import type { AllRepositorySettings } from '../domain/settings.ts';
import { itemKey, textOf } from './item-keys.ts';
import type { SettingsStore } from './settings-store.ts';

/** The settings in DynamoDB, beside the versions of their repository. */
export function settingsTable(client: DynamoDBClient, tableName: string): SettingsStore {
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

    async put(repository, settings) {
      const item = { ...itemKey(repository, 'settings'), settings: { S: JSON.stringify(settings) } };
      await client.send(new PutItemCommand({ TableName: tableName, Item: item }));
    },
  };
}
