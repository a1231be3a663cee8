import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { table } from '../contract.ts';
import type { VersionId } from '../domain/object-keys.ts';
import type { Repository } from '../domain/repository.ts';
import { applied, namesIn } from './conditional.ts';
import {
  anyVersion,
  endOf,
  partitionOf,
  readVersionKey,
  textOf,
  versionKey,
  versionsOf,
} from './item-keys.ts';
import { itemsBetween } from './items-between.ts';
import {
  changeAttribute,
  liveAttribute,
  pendingAttribute,
  provenanceAttribute,
  readVersionItem,
} from './version-attributes.ts';
import type { Mark, VersionStore } from './version-store.ts';

type Values = Record<string, AttributeValue>;

// The conditions, each named as the sentence that it says.
const nothingIsLive = 'attribute_not_exists(#live)';
const somethingIsLive = 'attribute_exists(#live)';
// `:key` is the key of this very reservation: a retry of a write whose answer was lost must not meet itself.
const nobodyElseReserves =
  '(attribute_not_exists(#pending) OR #pending.#expires <= :now OR #pending.#key = :key)';
const reservationIsThis = '#pending.#key = :key';
const itsPackageMayBeLive = '(attribute_not_exists(#live) OR #live.#digest = :package)';
const noOtherProvenanceCounts =
  '(attribute_not_exists(#provenance) OR #provenance.#package <> :package OR #provenance.#key = :key)';
const livePackageIsAtKey = '#live.#key = :key';
const noReservationExpired = '(attribute_not_exists(#pending) OR #pending.#expires > :now)';
const reservationExpired = '#pending.#expires <= :now';
const markIsThis = '#unindexed = :token';
const isNoTombstone = 'attribute_not_exists(#removed)';
const nothingElseIsKnown =
  'attribute_not_exists(#live) AND attribute_not_exists(#provenance) AND attribute_not_exists(#unindexed)';
const nothingHappened =
  'attribute_not_exists(#live) AND attribute_not_exists(#pending) AND attribute_not_exists(#removed)';
const livePackageWasSetBack = '#live.#key = :instead AND attribute_not_exists(#unindexed)';
const hasLabel = 'contains(#labels, :label)';
const mayHaveAnother = '(attribute_not_exists(#labels) OR size(#labels) < :most)';
const isBareTombstone =
  'attribute_exists(#removed) AND attribute_not_exists(#live) AND attribute_not_exists(#pending) AND attribute_not_exists(#provenance)';

// A change is appended first, and with it what it takes the place of: both are read as they were before the write.
const appending = (
  change: 'if_not_exists(#pending.#change, :change)' | ':change',
  replaces: '#live' | '#provenance',
) =>
  `SET #changes = list_append(if_not_exists(#changes, :none), ${change}), #replaced = list_append(if_not_exists(#replaced, :none), if_not_exists(${replaces}.#was, :nothing))`;
const appendingValues = { ':none': { L: [] }, ':nothing': { L: [{ NULL: true }] } };

const and = (...conditions: readonly string[]) => conditions.join(' AND ');

/**
 * The versions in DynamoDB. One item holds a version's whole state, so each step of its life is one
 * conditional write, and races are settled by the condition alone.
 *
 * @param newToken gives the random part of a mark, another at each call
 */
export function versionsTable(
  client: DynamoDBClient,
  tableName: string,
  newToken: () => string = randomUUID,
): VersionStore {
  const updateIf = (condition: string, id: VersionId, update: string, values: Values) =>
    applied(
      client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: versionKey(id),
          UpdateExpression: update,
          ConditionExpression: condition,
          ExpressionAttributeNames: namesIn(condition, update),
          ExpressionAttributeValues: values,
        }),
      ),
    );

  const deleteIf = (condition: string, id: VersionId, values: Values) =>
    applied(
      client.send(
        new DeleteItemCommand({
          TableName: tableName,
          Key: versionKey(id),
          ConditionExpression: condition,
          ExpressionAttributeNames: namesIn(condition),
          ExpressionAttributeValues: values,
        }),
      ),
    );

  const query = (repository: Repository, from: string, to: string) =>
    itemsBetween(client, tableName, { partition: partitionOf(repository), from, to });

  async function* queryMarks(repository: Repository): AsyncGenerator<Mark> {
    const condition = `#${table.partitionKey} = :partition`;
    const pages = paginateQuery(
      { client },
      {
        TableName: tableName,
        IndexName: table.unindexedIndex,
        ConsistentRead: true,
        KeyConditionExpression: condition,
        ExpressionAttributeNames: namesIn(condition),
        ExpressionAttributeValues: { ':partition': partitionOf(repository) },
      },
    );
    for await (const page of pages) {
      for (const item of page.Items ?? []) {
        yield { ...readVersionKey(item), token: textOf(item, table.unindexedAttribute) };
      }
    }
  }

  async function* versions(repository: Repository, from: string, to: string) {
    for await (const item of query(repository, from, to)) yield readVersionItem(item);
  }

  // Marks are read in order of their tokens. Beginning with name and version, a new token takes the place
  // of the old one, so a mark that is replaced while somebody pages over them is not overlooked.
  const mark = ({ name, version }: VersionId): AttributeValue => ({ S: `${name}#${version}#${newToken()}` });

  return {
    async get(id) {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: versionKey(id), ConsistentRead: true }),
      );
      return item && readVersionItem(item);
    },

    ofChart: (repository, name) => versions(repository, versionsOf(name), endOf(versionsOf(name))),

    ofRepository: (repository, after) =>
      versions(repository, after ? endOf(versionsOf(after)) : anyVersion, endOf(anyVersion)),

    async reserve(id, pending, { overwrite, now }) {
      const condition = overwrite ? nobodyElseReserves : and(nothingIsLive, nobodyElseReserves);
      return await updateIf(condition, id, 'SET #pending = :pending', {
        ':pending': pendingAttribute(pending),
        ':key': { S: pending.key },
        ':now': { N: String(now) },
      });
    },

    async commit(id, pending) {
      // What is copied is what the item holds, not what the caller believes that it holds.
      const provenance = pending.provenance ? ', #provenance = #pending.#provenance' : '';
      // One from before there was an audit has none.
      const changes = appending('if_not_exists(#pending.#change, :change)', '#live');
      const update = `${changes}, #live = #pending, #unindexed = :token${provenance} REMOVE #pending, #removed`;
      return await updateIf(reservationIsThis, id, update, {
        ':key': { S: pending.key },
        ':token': mark(id),
        ':change': changeAttribute(pending.change),
        ...appendingValues,
      });
    },

    async abandon(id, key) {
      const values = { ':key': { S: key } };
      if (await deleteIf(and(reservationIsThis, nothingElseIsKnown), id, values)) return true;
      return await updateIf(reservationIsThis, id, 'REMOVE #pending', values);
    },

    async restore(id, live, { provenance, instead, change }) {
      const changes = appending(':change', '#live');
      const update = `${changes}, #live = :live, #unindexed = :token${provenance ? ', #provenance = :provenance' : ''}`;
      return await updateIf(instead === undefined ? nothingHappened : livePackageWasSetBack, id, update, {
        ':live': liveAttribute(live),
        ':token': mark(id),
        ':change': changeAttribute(change),
        ...appendingValues,
        ...(provenance && { ':provenance': provenanceAttribute(provenance) }),
        ...(instead !== undefined && { ':instead': { S: instead } }),
      });
    },

    async addProvenance(id, provenance, { overwrite, change }) {
      const condition = overwrite ? itsPackageMayBeLive : and(itsPackageMayBeLive, noOtherProvenanceCounts);
      const update = `${appending(':change', '#provenance')}, #provenance = :provenance, #unindexed = :token`;
      return await updateIf(condition, id, update, {
        ':provenance': provenanceAttribute(provenance),
        ':token': mark(id),
        ':change': changeAttribute(change),
        ...appendingValues,
        ':package': { S: provenance.package },
        ...(!overwrite && { ':key': { S: provenance.key } }),
      });
    },

    // An update cannot take an attribute away on a condition of its own, so it is two, and mostly the first.
    async remove(id, key, { now, change }) {
      const changes = appending(':change', '#live');
      const update = `${changes}, #removed = :true, #unindexed = :token REMOVE #live, #provenance, #labels`;
      const values = {
        ':key': { S: key },
        ':now': { N: String(now) },
        ':true': { BOOL: true },
        ':token': mark(id),
        ':change': changeAttribute(change),
        ...appendingValues,
      };
      return (
        (await updateIf(and(livePackageIsAtKey, noReservationExpired), id, update, values)) ||
        (await updateIf(and(livePackageIsAtKey, reservationExpired), id, `${update}, #pending`, values))
      );
    },

    addLabel: (id, label, { most }) =>
      updateIf(and(somethingIsLive, `NOT ${hasLabel}`, mayHaveAnother), id, 'ADD #labels :added', {
        ':label': { N: String(label) },
        ':most': { N: String(most) },
        ':added': { NS: [String(label)] },
      }),

    removeLabel: (id, label) =>
      updateIf(hasLabel, id, 'DELETE #labels :removed', {
        ':label': { N: String(label) },
        ':removed': { NS: [String(label)] },
      }),

    marks: queryMarks,

    /**
     * At most three writes, and one where no tombstone is left, which is nearly always. Their order is free
     * of races, because each is right by itself whenever its own condition holds: whatever changes what an
     * index or the audit says replaces the token, which stops every later write. A reservation that comes
     * between the second and the third stays, as the third only takes the mark with its changes; the delete
     * never takes anything but a bare tombstone.
     */
    async indexed(clear) {
      const token = { ':token': { S: clear.token } };
      if (
        await updateIf(and(markIsThis, isNoTombstone), clear, 'REMOVE #unindexed, #changes, #replaced', token)
      )
        return;
      if (await deleteIf(and(markIsThis, isBareTombstone), clear, token)) return;
      await updateIf(markIsThis, clear, 'REMOVE #unindexed, #changes, #replaced, #removed', token);
    },
  };
}
