import { type DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Repository } from '../domain/repository.ts';
import { applied, namesIn } from './conditional.ts';
import { type Item, partitionOf, textOf } from './item-keys.ts';
import type { UploadRecord, UploadStore } from './upload-store.ts';

const keyOf = (repository: Repository, sortKey: string): Item => ({
  [table.partitionKey]: partitionOf(repository),
  [table.sortKey]: { S: sortKey },
});
const uploadKey = (repository: Repository, id: string) => keyOf(repository, `upload#${id}`);
const claimKey = (repository: Repository, delivery: string) => keyOf(repository, `claim#${delivery}`);

const forget = (at: number): Item => ({ [table.forgetAttribute]: { N: String(Math.ceil(at / 1000)) } });

// `:key` is that of this very claim: a retry of a write whose answer was lost must not meet itself.
const nobodyElseClaims = 'attribute_not_exists(#claimed) OR #claimed = :key';

/** The uploads in DynamoDB, beside the versions of their repository. */
export function uploadsTable(client: DynamoDBClient, tableName: string): UploadStore {
  const read = async (key: Item): Promise<Item | undefined> => {
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
    );
    return item;
  };

  return {
    async get(repository, id) {
      const item = await read(uploadKey(repository, id));
      return item && (JSON.parse(textOf(item, 'upload')) as UploadRecord);
    },

    async put(repository, upload, forgetAt) {
      const record = { upload: { S: JSON.stringify(upload) }, ...forget(forgetAt) };
      const item = { ...uploadKey(repository, upload.id), ...record };
      await client.send(new PutItemCommand({ TableName: tableName, Item: item }));
    },

    async claim(repository, delivery, key, forgetAt) {
      const claim = claimKey(repository, delivery);
      const put = new PutItemCommand({
        TableName: tableName,
        Item: { ...claim, claimed: { S: key }, ...forget(forgetAt) },
        ConditionExpression: nobodyElseClaims,
        ExpressionAttributeNames: namesIn(nobodyElseClaims),
        ExpressionAttributeValues: { ':key': { S: key } },
      });
      if (await applied(client.send(put))) return key;
      return textOf((await read(claim)) ?? {}, 'claimed');
    },
  };
}
