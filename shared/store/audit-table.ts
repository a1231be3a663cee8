import { setTimeout } from 'node:timers/promises';
import {
  type DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { partitions, table } from '../contract.ts';
import { type AuditedChange, type AuditView, cursorOf, viewsOf } from '../domain/audit.ts';
import { Fault } from '../domain/fault.ts';
import type { AuditStore } from './audit-store.ts';
import { applied, namesIn } from './conditional.ts';
import { type Item, textOf } from './item-keys.ts';
import { itemsBetween } from './items-between.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

// Before and after every instant.
const FIRST = '0';
const LAST = ':';

// What is there stays: nobody who may put items here can write over one by this way.
const isNew = `attribute_not_exists(#${table.partitionKey})`;

function partitionOf(view: AuditView): string {
  if ('repository' in view) return `${partitions.audit}repository#${view.repository}`;
  return 'account' in view
    ? `${partitions.audit}account#${view.account}`
    : `${partitions.audit}day#${view.day}`;
}

/** An item for each view of a change. */
function itemsOf(change: AuditedChange, keepDays: number): Item[] {
  const forgetAt = Math.ceil((Date.parse(change.at) + keepDays * DAY_MS) / 1000);
  return viewsOf(change).map((view) => ({
    [table.partitionKey]: { S: partitionOf(view) },
    [table.sortKey]: { S: cursorOf(change) },
    change: { S: JSON.stringify(change) },
    [table.forgetAttribute]: { N: String(forgetAt) },
  }));
}

/** The audit in DynamoDB: small items in partitions of their own. */
export function auditTable(client: DynamoDBClient, tableName: string, keepDays: number): AuditStore {
  return {
    async put(change) {
      const puts = itemsOf(change, keepDays).map((item) =>
        applied(
          client.send(
            new PutItemCommand({
              TableName: tableName,
              Item: item,
              ConditionExpression: isNew,
              ExpressionAttributeNames: namesIn(isNew),
            }),
          ),
        ),
      );
      await Promise.all(puts);
    },

    async *read(view, { from = FIRST, until = LAST, after }) {
      const last = after !== undefined && after < until ? after : until;
      const partition = { S: partitionOf(view) };
      const items = itemsBetween(client, tableName, { partition, from, to: last, descending: true });
      for await (const item of items) {
        if (textOf(item, table.sortKey) !== after) yield JSON.parse(textOf(item, 'change')) as AuditedChange;
      }
    },
  };
}

/** How often a write begins anew that meets another transaction on the same item. */
const ATTEMPTS = 5;

// At random, so that those who met do not meet again; with four pauses well below a second.
const PAUSE_MS = 20;

/**
 * Writes items that are no versions, and what the audit says of it, all of it or nothing.
 *
 * @param writes the change itself
 * @returns false if a condition of the change does not hold
 * @throws Fault `try_again` where others write the same items all the time
 */
export async function writeAudited(
  client: DynamoDBClient,
  { tableName, keepDays }: { readonly tableName: string; readonly keepDays: number },
  change: AuditedChange,
  writes: readonly TransactWriteItem[],
): Promise<boolean> {
  const puts = itemsOf(change, keepDays).map((item) => ({ Put: { TableName: tableName, Item: item } }));
  const transaction = new TransactWriteItemsCommand({ TransactItems: [...writes, ...puts] });
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.send(transaction);
      return true;
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const reasons = new Set(error.CancellationReasons?.map(({ Code: code }) => code));
      if (reasons.has('ConditionalCheckFailed')) return false;
      if (!reasons.has('TransactionConflict')) throw error;
      if (attempt === ATTEMPTS) {
        const message = 'others are changing this at the same time: try again';
        throw new Fault('try_again', message, { retryAfterSeconds: 1, cause: error });
      }
      await setTimeout(Math.random() * PAUSE_MS * 2 ** attempt);
    }
  }
}
