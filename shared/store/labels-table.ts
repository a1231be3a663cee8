import { type DynamoDBClient, GetItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Label } from '../domain/label.ts';
import { writeAudited } from './audit-table.ts';
import { namesIn } from './conditional.ts';
import { type Item, labelKey, labelNameKey, labelNamesIn, labelPartition, textOf } from './item-keys.ts';
import { itemsBetween } from './items-between.ts';
import type { LabelStore } from './label-store.ts';
import { revisedPut } from './revised-put.ts';

const nobodyElseHasTheName = `attribute_not_exists(#${table.partitionKey}) OR #id = :id`;
const isThisRevision = '#revision = :revision';

/**
 * The labels in DynamoDB, in a partition of their own: each twice, by its id and by its name, always by one write. So
 * of two labels that are given one name at the same time, one is refused, and those of one project lie together.
 */
export function labelsTable(client: DynamoDBClient, tableName: string, keepDays: number): LabelStore {
  const audited = { tableName, keepDays };

  const takeName = (label: Label): TransactWriteItem => {
    return {
      Put: {
        TableName: tableName,
        Item: { ...labelNameKey(label), id: idOf(label), label: { S: JSON.stringify(label) } },
        ...unlessAnothers(label),
      },
    };
  };
  // A write that is sent again may find that the name is another label's by now.
  const leaveName = (label: Label): TransactWriteItem => ({
    Delete: { TableName: tableName, Key: labelNameKey(label), ...unlessAnothers(label) },
  });

  return {
    async get(id) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: labelKey(id), ConsistentRead: true }),
      );
      return item && readLabel(item);
    },

    async *in(project) {
      const stretch = { partition: labelPartition, ...labelNamesIn(project) };
      for await (const item of itemsBetween(client, tableName, stretch)) yield readLabel(item);
    },

    put: (label, replaces, change) =>
      writeAudited(client, audited, change, [
        revisedPut(tableName, writeLabel(label), replaces?.revision),
        takeName(label),
        ...(replaces === undefined || replaces.name === label.name ? [] : [leaveName(replaces)]),
      ]),

    remove(label, change) {
      const remove = {
        TableName: tableName,
        Key: labelKey(label.id),
        ConditionExpression: isThisRevision,
        ExpressionAttributeNames: namesIn(isThisRevision),
        ExpressionAttributeValues: { ':revision': { S: label.revision } },
      };
      return writeAudited(client, audited, change, [{ Delete: remove }, leaveName(label)]);
    },
  };
}

const idOf = ({ id }: Label) => ({ N: String(id) });

const unlessAnothers = (label: Label) => ({
  ConditionExpression: nobodyElseHasTheName,
  ExpressionAttributeNames: namesIn(nobodyElseHasTheName),
  ExpressionAttributeValues: { ':id': idOf(label) },
});

const writeLabel = (label: Label): Item => ({
  ...labelKey(label.id),
  revision: { S: label.revision },
  label: { S: JSON.stringify(label) },
});

const readLabel = (item: Item): Label => JSON.parse(textOf(item, 'label')) as Label;
