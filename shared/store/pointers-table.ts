import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import type { Flip } from '../domain/flips.ts';
import type { Repository } from '../domain/repository.ts';
import { applied, namesIn } from './conditional.ts';
import { type Item, itemKey, numberOf, textOf } from './item-keys.ts';
import type { Lease, Pointer, PointerStore, Shrinking } from './pointer-store.ts';

// The conditions, each named as the sentence that it says.
const thereIsNoPointer = 'attribute_not_exists(#sequence)';
const previousIsCurrent = '#folder = :previous';
// A retry of a flip whose answer was lost must not take its own index for somebody else's.
const nextIsCurrentAlready = '(#sequence = :next AND #folder = :folder)';
const leaseIsFree = 'attribute_not_exists(#holder) OR #expires <= :now';
const leaseIsMine = '#holder = :holder';

/** The pointers and leases in DynamoDB, beside the versions of their repository. */
export function pointersTable(client: DynamoDBClient, tableName: string): PointerStore {
  const putIf = (condition: string, item: Item, values: Item, measured?: (gigabytes: number) => void) =>
    applied(
      client
        .send(
          new PutItemCommand({
            TableName: tableName,
            Item: item,
            ConditionExpression: condition,
            ExpressionAttributeNames: namesIn(condition),
            ExpressionAttributeValues: values,
            ...(measured && { ReturnItemCollectionMetrics: 'SIZE' }),
          }),
        )
        .then(({ ItemCollectionMetrics: metrics }) => {
          // An estimate: the lower bound and the upper one.
          const [, most] = metrics?.SizeEstimateRangeGB ?? [];
          if (most !== undefined) measured?.(most);
        }),
    );

  return {
    async get(repository) {
      const { Item: item } = await client.send(
        new GetItemCommand({
          TableName: tableName,
          Key: itemKey(repository, 'pointer'),
          ConsistentRead: true,
        }),
      );
      return item && readPointer(item);
    },

    async flip(repository, previous, next, measured) {
      const undisturbed = previous === undefined ? thereIsNoPointer : previousIsCurrent;
      return await putIf(
        `${undisturbed} OR ${nextIsCurrentAlready}`,
        { ...itemKey(repository, 'pointer'), ...pointerAttributes(next) },
        {
          ':next': { N: String(next.sequence) },
          ':folder': { S: next.folder },
          ...(previous && { ':previous': { S: previous.folder } }),
        },
        measured,
      );
    },

    async lease(repository, holder, { now, expires }, lease = 'refresh') {
      return await putIf(
        `${leaseIsFree} OR ${leaseIsMine}`,
        { ...leaseKey(repository, lease), holder: { S: holder }, expires: { N: String(expires) } },
        { ':now': { N: String(now) }, ':holder': { S: holder } },
      );
    },

    async release(repository, holder, lease = 'refresh') {
      await applied(
        client.send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: leaseKey(repository, lease),
            ConditionExpression: leaseIsMine,
            ExpressionAttributeNames: namesIn(leaseIsMine),
            ExpressionAttributeValues: { ':holder': { S: holder } },
          }),
        ),
      );
    },
  };
}

const leaseKey = (repository: Repository, lease: Lease) =>
  itemKey(repository, lease === 'refresh' ? 'lease' : 'rebuild');

function pointerAttributes(pointer: Pointer): Item {
  return {
    sequence: { N: String(pointer.sequence) },
    folder: { S: pointer.folder },
    size: { N: String(pointer.sizeBytes) },
    versions: { N: String(pointer.versions) },
    settings: { S: pointer.settings },
    shrank: { S: JSON.stringify(pointer.shrank) },
    flips: { S: JSON.stringify(pointer.flips) },
    ...(pointer.lost !== undefined && { lost: { S: pointer.lost } }),
    ...(pointer.perChart !== undefined && { perChart: { N: String(pointer.perChart) } }),
  };
}

function readPointer(item: Item): Pointer {
  const lost = item['lost']?.S;
  return {
    sequence: numberOf(item, 'sequence'),
    folder: textOf(item, 'folder'),
    sizeBytes: numberOf(item, 'size'),
    versions: numberOf(item, 'versions'),
    settings: textOf(item, 'settings'),
    shrank: JSON.parse(item['shrank']?.S ?? '[]') as Shrinking[],
    flips: JSON.parse(item['flips']?.S ?? '[]') as Flip[],
    ...(lost !== undefined && { lost }),
    ...(item['perChart'] !== undefined && { perChart: numberOf(item, 'perChart') }),
  };
}
