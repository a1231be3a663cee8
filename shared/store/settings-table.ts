import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Repository } from '../domain/repository.ts';
import type { AllRepositorySettings } from '../domain/settings.ts';
import { writeAudited } from './audit-table.ts';
import { namesIn } from './conditional.ts';
import { itemKey, textOf } from './item-keys.ts';
import type { SettingsToo } from './known-repository-store.ts';
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
      await writeAudited(client, audited, change, [settingsPut(tableName, repository, { said: settings })]);
    },

    replace: (repository, seen, settings, change) =>
      writeAudited(client, audited, change, [settingsPut(tableName, repository, { seen, said: settings })]),
  };
}

/** The write of what a repository says of itself. */
export function settingsPut(
  tableName: string,
  repository: Repository,
  { said, seen }: SettingsToo,
): TransactWriteItem {
  const text = JSON.stringify(said);
  const put = {
    TableName: tableName,
    Item: { ...itemKey(repository, 'settings'), settings: { S: text } },
  };
  if (seen === undefined) return { Put: put };
  // Who says nothing may have no item, or an empty one. JSON is written again as it was read; and a write whose
  // answer got lost is sent again, and finds what it wrote.
  const isNothing = Object.keys(seen).length === 0;
  const condition = `${isNothing ? `attribute_not_exists(#${table.partitionKey}) OR ` : ''}#settings IN (:seen, :said)`;
  return {
    Put: {
      ...put,
      ConditionExpression: condition,
      ExpressionAttributeNames: namesIn(condition),
      ExpressionAttributeValues: { ':seen': { S: JSON.stringify(seen) }, ':said': { S: text } },
    },
  };
}
