import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Repository } from '../domain/repository.ts';
import { applied, namesIn } from './conditional.ts';
import { type Item, partitionOf, textOf } from './item-keys.ts';
import type { UploadRecord, UploadStore } from './upload-store.ts';

const uploadKey = (repository: Repository, id: string): Item => ({
  [table.partitionKey]: partitionOf(repository),
  [table.sortKey]: { S: `upload#${id}` },
});

const seconds = (milliseconds: number) => ({ N: String(Math.ceil(milliseconds / 1000)) });

// `:key` is that of this very claim: a retry of a write whose answer was lost must not meet itself.
const nobodyElseClaims = 'attribute_not_exists(#delivery) OR #delivery <> :delivery OR #claimed = :key';

/** The uploads in DynamoDB, beside the versions of their repository. */
export function uploadsTable(client: DynamoDBClient, tableName: string): UploadStore {
  const read = async (repository: Repository, id: string): Promise<Item | undefined> => {
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: uploadKey(repository, id), ConsistentRead: true }),
    );
    return item;
  };

  const update = (repository: Repository, id: string, change: string, values: Item, condition?: string) =>
    client.send(
      new UpdateItemCommand({
        TableName: tableName,
        Key: uploadKey(repository, id),
        UpdateExpression: change,
        ...(condition && { ConditionExpression: condition }),
        ExpressionAttributeNames: namesIn(change, condition ?? ''),
        ExpressionAttributeValues: values,
      }),
    );

  return {
    async get(repository, id) {
      const item = await read(repository, id);
      return item?.['upload'] && (JSON.parse(textOf(item, 'upload')) as UploadRecord);
    },

    async put(repository, upload, forgetAt) {
      await update(repository, upload.id, `SET #upload = :upload, #${table.forgetAttribute} = :forget`, {
        ':upload': { S: JSON.stringify(upload) },
        ':forget': seconds(forgetAt),
      });
    },

    async claim(repository, id, { delivery, key, forgetAt }) {
      const change = `SET #delivery = :delivery, #claimed = :key, #${table.forgetAttribute} = :forget`;
      const values = { ':delivery': { S: delivery }, ':key': { S: key }, ':forget': seconds(forgetAt) };
      if (await applied(update(repository, id, change, values, nobodyElseClaims))) return key;
      return textOf((await read(repository, id)) ?? {}, 'claimed');
    },
  };
}
