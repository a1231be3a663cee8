import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import { namesIn } from './conditional.ts';
import { type Item, textOf } from './item-keys.ts';

/**
 * The write of an item that has another `revision` after each change.
 *
 * @param replaces the revision that it takes the place of; undefined where there was none
 */
export function revisedPut(tableName: string, item: Item, replaces: string | undefined): TransactWriteItem {
  // A write whose answer got lost is sent again, and finds what it wrote.
  const condition =
    replaces === undefined
      ? `attribute_not_exists(#${table.partitionKey}) OR #revision = :ours`
      : '#revision IN (:replaced, :ours)';
  return {
    Put: {
      TableName: tableName,
      Item: item,
      ConditionExpression: condition,
      ExpressionAttributeNames: namesIn(condition),
      ExpressionAttributeValues: {
        ':ours': { S: textOf(item, 'revision') },
        ...(replaces !== undefined && { ':replaced': { S: replaces } }),
      },
    },
  };
}
