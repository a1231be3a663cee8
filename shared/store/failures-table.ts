import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { partitions, table } from '../contract.ts';
import { applied, namesIn } from './conditional.ts';
import type { FailurePair, FailureStore } from './failure-store.ts';
import { type Item, numberOf } from './item-keys.ts';

const FAILURES = 'failures#';
const FORGET = `#${table.forgetAttribute}`;

// Many pairs in each of 256 partitions: enough for whoever guesses, and few for what goes over all partitions.
const keyOf = (pair: FailurePair): Item => ({
  [table.partitionKey]: { S: `${partitions.failures}${pair.slice(0, 2)}` },
  [table.sortKey]: { S: `${FAILURES}${pair}` },
});

const seconds = (milliseconds: number) => ({ N: String(Math.ceil(milliseconds / 1000)) });

/** The counts in DynamoDB, which drops them some time after they count no more: so whoever reads looks at the time. */
export function failuresTable(client: DynamoDBClient, tableName: string): FailureStore {
  // A write whose answer got lost is sent again and counts twice: it is one guess less for who guesses.
  const update = (
    pair: FailurePair,
    { condition, change, values }: { condition: string; change: string; values: Item },
  ) =>
    applied(
      client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(pair),
          ConditionExpression: condition,
          UpdateExpression: change,
          ExpressionAttributeNames: namesIn(condition, change),
          ExpressionAttributeValues: values,
        }),
      ),
    );

  return {
    async get(pair, now) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: keyOf(pair), ConsistentRead: true }),
      );
      if (item === undefined) return undefined;
      const until = numberOf(item, table.forgetAttribute) * 1000;
      return now < until ? { count: numberOf(item, 'count'), until } : undefined;
    },

    async add(pair, now, until) {
      const values = { ':one': { N: '1' }, ':until': seconds(until), ':now': { N: String(now / 1000) } };
      const oneMore = () =>
        update(pair, {
          condition: `attribute_not_exists(${FORGET}) OR ${FORGET} > :now`,
          change: `SET ${FORGET} = if_not_exists(${FORGET}, :until) ADD #count :one`,
          values,
        });
      const theFirst = () =>
        update(pair, {
          condition: `${FORGET} <= :now`,
          change: `SET ${FORGET} = :until, #count = :one`,
          values,
        });
      // Who is not the first to begin anew counts after who was.
      (await oneMore()) || (await theFirst()) || (await oneMore());
    },
  };
}
