import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Repository } from '../domain/repository.ts';
import { type Item, partitionOf, textOf } from './item-keys.ts';
import type { UploadRecord, UploadStore } from './upload-store.ts';

const uploadKey = (repository: Repository, id: string): Item => ({
  [table.partitionKey]: partitionOf(repository),
  [table.sortKey]: { S: `upload#${id}` },
});

/** The uploads in DynamoDB, beside the versions of their repository. */
export function uploadsTable(client: DynamoDBClient, tableName: string): UploadStore {
  return {
    async get(repository, id) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: uploadKey(repository, id), ConsistentRead: true }),
      );
      return item && (JSON.parse(textOf(item, 'upload')) as UploadRecord);
    },

    async put(repository, upload, forgetAt) {
      const item = {
        ...uploadKey(repository, upload.id),
        upload: { S: JSON.stringify(upload) },
        [table.forgetAttribute]: { N: String(Math.ceil(forgetAt / 1000)) },
      };
      await client.send(new PutItemCommand({ TableName: tableName, Item: item }));
    },
  };
}
