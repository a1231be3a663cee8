import { type DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { Account } from '../domain/account.ts';
import { asCanary, canaryAccount } from '../domain/canary.ts';
import type { AccountStore } from './account-store.ts';
import { writeAudited } from './audit-table.ts';
import { applied, namesIn } from './conditional.ts';
import { accountKey, accountPartition, anyAccount, endOf, type Item, textOf } from './item-keys.ts';
import { itemsBetween } from './items-between.ts';
import { revisedPut } from './revised-put.ts';

// An attribute for each secret: a use is noted by one write that cannot undo a change of the account.
const usedAttribute = (secretId: string) => `${table.usedAttribute}${secretId}`;

const IS_THERE = `attribute_exists(#${table.partitionKey})`;

/** The accounts in DynamoDB, in a partition of their own, and the canary's in another. */
export function accountsTable(client: DynamoDBClient, tableName: string, keepDays: number): AccountStore {
  const audited = { tableName, keepDays };
  return {
    async get(name) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: accountKey(name), ConsistentRead: true }),
      );
      const account = item && readAccount(item);
      return account && name === canaryAccount ? asCanary(account) : account;
    },

    async *all(after) {
      const items = itemsBetween(client, tableName, {
        partition: accountPartition,
        from: `${anyAccount}${after ?? ''}`,
        to: endOf(anyAccount),
      });
      for await (const item of items) {
        const account = readAccount(item);
        // Of the canary's name there may be one from before the name was the canary's: it counts no more.
        if (account.name !== after && account.name !== canaryAccount) yield account;
      }
    },

    put: (account, replaces, change) =>
      writeAudited(client, audited, change, [revisedPut(tableName, writeAccount(account), replaces)]),

    remove(name, change) {
      const remove = {
        TableName: tableName,
        Key: accountKey(name),
        ConditionExpression: IS_THERE,
        ExpressionAttributeNames: namesIn(IS_THERE),
      };
      return writeAudited(client, audited, change, [{ Delete: remove }]);
    },

    async used(name, secretId, at) {
      await applied(
        client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: accountKey(name),
            UpdateExpression: 'SET #used = :at',
            ConditionExpression: IS_THERE,
            ExpressionAttributeNames: { ...namesIn(IS_THERE), '#used': usedAttribute(secretId) },
            ExpressionAttributeValues: { ':at': { S: at } },
          }),
        ),
      );
    },
  };
}

function writeAccount(account: Account): Item {
  const uses = account.kind === 'robot' ? account.secrets : [];
  const stored =
    account.kind === 'robot'
      ? { ...account, secrets: account.secrets.map(({ lastUsed, ...secret }) => secret) }
      : account;
  return {
    ...accountKey(account.name),
    revision: { S: account.revision },
    account: { S: JSON.stringify(stored) },
    ...Object.fromEntries(
      uses.flatMap(({ id, lastUsed }) => (lastUsed ? [[usedAttribute(id), { S: lastUsed }]] : [])),
    ),
  };
}

function readAccount(item: Item): Account {
  const account = JSON.parse(textOf(item, 'account')) as Account;
  if (account.kind === 'user') return account;
  const secrets = account.secrets.map((secret) => {
    const lastUsed = item[usedAttribute(secret.id)]?.S;
    return lastUsed === undefined ? secret : { ...secret, lastUsed };
  });
  return { ...account, secrets };
}
