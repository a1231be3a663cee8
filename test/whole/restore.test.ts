import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type BringingBack, bringBack } from '../../shared/store/bring-back.ts';
import { deletedObjects } from '../../shared/store/deleted-objects.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { createTable } from '../store/aws.ts';
import { listed, startChartroom } from './chartroom.ts';

const ofVersion = (name: string, version: string, repository = '') => ({
  pk: { S: `repository#${repository}` },
  sk: { S: `chart#${name}#${version}` },
});

/** A Chartroom whose table can be kept as it is, lose items, and have them back. */
async function aRoom() {
  const room = await startChartroom();
  onTestFinished(() => room.stop());
  const { region, credentials, endpoints } = room.clientConfig;
  const clientOf = () => new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const client = clientOf();
  const s3 = new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true });
  const TableName = room.tableName;
  const from = `${TableName}-then`;
  const items = async (table = TableName) =>
    (await client.send(new ScanCommand({ TableName: table }))).Items ?? [];
  return {
    room,
    clientOf,
    items,
    /** What point-in-time recovery gives. @returns the instant */
    async keep() {
      await createTable(client, from);
      for (const Item of await items()) {
        await client.send(
          new BatchWriteItemCommand({ RequestItems: { [from]: [{ PutRequest: { Item } }] } }),
        );
      }
      return new Date();
    },
    put: (Item: Record<string, { S: string }>) => client.send(new PutItemCommand({ TableName, Item })),
    lose: (Key: ReturnType<typeof ofVersion>) => client.send(new DeleteItemCommand({ TableName, Key })),
    /** @returns what was told, but for what is there */
    async restore(at: Date, options: Partial<BringingBack> = {}) {
      const told: string[] = [];
      await bringBack({
        client,
        from,
        to: TableName,
        objects: deletedObjects(s3, room.bucketName),
        at,
        now: new Date(),
        deleted: false,
        dryRun: false,
        tell: (what, outcome) => {
          if (outcome !== 'there') told.push(`${outcome}: ${what}`);
        },
        ...options,
      });
      return told.toSorted();
    },
  };
}

describe('what a table lost since an instant', () => {
  it('comes back, with an index that follows, and what happened since stays', async () => {
    const { room, keep, lose, restore, items } = await aRoom();
    const demo = await aPackage();
    await room.publish(demo);
    await room.send('POST', '/api/prov', { body: new Uint8Array(aProvenance(demo)) });
    await room.publish(await aPackage({ version: '1.1.0' }));
    await room.publish(await aPackage({ name: 'other' }));
    await room.publish(await aPackage({ name: 'third' }), 'org/team');
    await room.send('PUT', '/-/settings/org/team', { body: '{"maxVersions":7}' });
    const label = { name: 'good', scope: 'g' };
    await room.send('POST', '/api/labels', { body: JSON.stringify(label) });
    await room.readIndex();
    await room.readIndex('org/team');
    const before = (await room.readIndex()).entries['demo']?.find(({ version }) => version === '1.0.0');
    const at = await keep();

    await room.send('DELETE', '/api/charts/demo/1.1.0');
    await room.publish(await aPackage({ version: '2.0.0' }));
    const overwritten = await aPackage({ name: 'other', description: 'another' });
    expect((await room.publish(overwritten, '', '?force')).status).toBe(201);
    await room.readIndex();
    const now = await items();
    const lost = [
      ofVersion('demo', '1.0.0'),
      ofVersion('third', '1.0.0', 'org/team'),
      { pk: { S: 'repository#org/team' }, sk: { S: 'settings' } },
      { pk: { S: 'repositories' }, sk: { S: 'repository#org/team' } },
      ...now.flatMap(({ pk, sk }) =>
        pk?.S === 'labels' && sk?.S !== undefined ? [{ pk: { S: 'labels' }, sk: { S: sk.S } }] : [],
      ),
    ];
    expect(lost).toHaveLength(6);
    for (const key of lost) await lose(key);

    const gone = await items();
    const would = await restore(at, { dryRun: true });
    expect(await items()).toEqual(gone);
    const told = await restore(at);
    expect(told).toEqual(would);
    expect(told).toEqual([
      expect.stringMatching(/^brought back: label \d+$/),
      'brought back: repository org/team',
      'brought back: settings org/team',
      'brought back: version (root) demo 1.0.0',
      'brought back: version org/team third 1.0.0',
      'deleted since: version (root) demo 1.1.0',
    ]);
    expect(await restore(at)).toEqual(['deleted since: version (root) demo 1.1.0']);

    const index = await room.readIndex();
    expect(listed(index).toSorted()).toEqual(['demo 1.0.0', 'demo 2.0.0', 'other 1.0.0']);
    expect(index.entries['demo']?.find(({ version }) => version === '1.0.0')).toEqual(before);
    expect(index.entries['other']?.[0]?.description).toBe('another');
    expect((await room.send('GET', '/charts/demo-1.0.0.tgz.prov')).status).toBe(302);
    expect(listed(await room.readIndex('org/team'))).toEqual(['third 1.0.0']);
    const settings = await room.send('GET', '/-/settings/org/team');
    expect(await settings.json()).toEqual({ maxVersions: 7 });
    expect(await (await room.send('GET', '/api/labels?scope=g')).json()).toMatchObject([{ name: 'good' }]);
    const audit = await room.send('GET', '/-/audit?repository=');
    const { changes } = (await audit.json()) as { changes: { action: string; version: string }[] };
    expect(changes.filter(({ action }) => action === 'restored')).toMatchObject([{ version: '1.0.0' }]);
    expect(await room.invoke('repair', { dryRun: true })).toMatchObject({ healthy: true });

    // Its package is gone here, where the bucket has no history.
    expect(await restore(at, { deleted: true })).toEqual(['package gone: version (root) demo 1.1.0']);
  });

  it('is all there in the end, wherever it broke off', async () => {
    const { room, keep, lose, restore, clientOf } = await aRoom();
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const name of names) await room.publish(await aPackage({ name }));
    await room.readIndex();
    const at = await keep();
    for (const name of names) await lose(ofVersion(name, '1.0.0'));
    await lose({ pk: { S: 'repository#' }, sk: { S: 'pointer' } });

    const breaking = clientOf();
    const puts = { left: 2 };
    breaking.middlewareStack.add(
      (next, { commandName }) =>
        async (call) => {
          if (commandName === 'PutItemCommand') puts.left -= 1;
          if (puts.left < 0) throw new Error('cut off');
          return await next(call);
        },
      { step: 'initialize' },
    );
    await expect(restore(at, { client: breaking })).rejects.toThrow('cut off');
    expect(await restore(at)).toHaveLength(names.length - 2);
    expect(listed(await room.readIndex())).toEqual(names.map((name) => `${name} 1.0.0`));
    expect(await room.invoke('repair', {})).toMatchObject({ healthy: true });
  });

  it('leaves out what was under way, and what is of a repository that was deleted', async () => {
    const { room, put, keep, lose, restore } = await aRoom();
    await room.publish(await aPackage(), 'gone');
    await room.readIndex('gone');
    const pending = { ...ofVersion('demo', '3.0.0'), pending: { S: 'a reservation' } };
    const failure = { pk: { S: 'failures#00' }, sk: { S: 'failures#00' } };
    await put(pending);
    await put(failure);
    const at = await keep();
    expect((await room.send('DELETE', '/-/repositories/gone')).status).toBe(202);
    await lose(ofVersion('demo', '1.0.0', 'gone'));
    await lose(ofVersion('demo', '3.0.0'));
    await lose(failure);
    expect(await restore(at)).toEqual([
      'deleted since: repository gone',
      'deleted since: version gone demo 1.0.0',
    ]);
  });
});
