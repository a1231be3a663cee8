import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { RepairReport } from '../../shared/repair.ts';
import { type BringingBack, bringBack } from '../../shared/store/bring-back.ts';
import { isAudited } from '../../shared/store/changed-since.ts';
import { deletedObjects } from '../../shared/store/deleted-objects.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { createTable } from '../store/aws.ts';
import { listed, sha256, startChartroom } from './chartroom.ts';

const password = 'correct horse';
const headers = { authorization: `Basic ${btoa(`admin:${password}`)}` };

const ofVersion = (name: string, version: string, repository = '') => ({
  pk: { S: `repository#${repository}` },
  sk: { S: `chart#${name}#${version}` },
});

/** A Chartroom whose table can be kept as it is, lose items, and have them back. */
async function aRoom(options: Parameters<typeof startChartroom>[0] = {}) {
  const room = await startChartroom(options);
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
      const { repository } = options;
      const found = (await room.invoke('repair', { repository, dryRun: true })) as RepairReport;
      await bringBack({
        client,
        from,
        to: TableName,
        objects: deletedObjects(s3, room.bucketName),
        at,
        now: new Date(),
        findings: found.findings,
        deleted: false,
        changed: false,
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

  it('is not the older one of two that were acknowledged', async () => {
    const { room, keep, lose, restore } = await aRoom();
    const older = { overwritten: 'then', again: 'then', signed: 'then' };
    for (const [name, description] of Object.entries(older)) {
      await room.publish(await aPackage({ name, description }));
    }
    await room.readIndex();
    const at = await keep();
    await room.publish(await aPackage({ name: 'overwritten', description: 'since' }), '', '?force');
    await room.send('DELETE', '/api/charts/again/1.0.0');
    await room.publish(await aPackage({ name: 'again', description: 'since' }));
    const provenance = aProvenance(await aPackage({ name: 'signed', description: 'then' }), {
      name: 'signed',
    });
    const body = new Uint8Array(provenance);
    expect((await room.send('POST', '/api/prov', { body })).status).toBe(201);
    const before = await room.readIndex();
    for (const name of Object.keys(older)) await lose(ofVersion(name, '1.0.0'));

    // Without the index, the audit knows.
    expect(await restore(at, { findings: [], dryRun: true })).toEqual([
      'changed since: version (root) again 1.0.0',
      'changed since: version (root) overwritten 1.0.0',
      'changed since: version (root) signed 1.0.0',
    ]);
    for (const deleted of [false, true]) {
      expect(await restore(at, { deleted, changed: deleted })).toEqual([
        'left to the repair: version (root) again 1.0.0',
        'left to the repair: version (root) overwritten 1.0.0',
        'left to the repair: version (root) signed 1.0.0',
      ]);
    }
    expect(await room.invoke('repair', {})).toMatchObject({ healthy: true });
    const after = await room.readIndex();
    expect(after.entries).toEqual(before.entries);
    expect(after.entries['overwritten']?.[0]?.description).toBe('since');
    expect(after.entries['again']?.[0]?.description).toBe('since');
    expect(await room.digestAt('/charts/signed-1.0.0.tgz.prov')).toBe(sha256(body));
  });

  it('gives nobody back what was taken away on purpose', async () => {
    const { room, keep, lose, restore } = await aRoom({ access: 'closed', adminPassword: password });
    const put = async (target: string, body: object) =>
      (await room.send('PUT', target, { headers, body: JSON.stringify(body) })).status;
    const grants = [{ role: 'maintainer', on: 'org/team' }];
    for (const name of ['ci', 'narrowed']) {
      expect(await put(`/-/accounts/${name}`, { kind: 'robot', grants })).toBe(201);
    }
    const secret = async () => {
      const init = { headers, body: '{"expiresInDays":1}' };
      const made = await room.send('POST', '/-/accounts/ci/secrets', init);
      return ((await made.json()) as { id: string }).id;
    };
    const [revoked, kept] = [await secret(), await secret()];
    expect(await put('/-/repositories/org/team', {})).toBe(201);
    expect(await put('/-/settings/org/team', { anonymousRead: true })).toBe(200);
    const at = await keep();
    await room.send('DELETE', `/-/accounts/ci/secrets/${revoked}`, { headers });
    expect(await put('/-/accounts/narrowed', { kind: 'robot', grants: [] })).toBe(200);
    expect(await put('/-/settings/org/team', { anonymousRead: false })).toBe(200);
    for (const name of ['ci', 'narrowed']) {
      await lose({ pk: { S: 'accounts' }, sk: { S: `account#${name}` } });
    }
    await lose({ pk: { S: 'repository#org/team' }, sk: { S: 'settings' } });

    expect(await restore(at)).toEqual([
      'brought back: account ci',
      'changed since: account narrowed',
      'changed since: settings org/team',
    ]);
    const account = await room.send('GET', '/-/accounts/ci', { headers });
    const { secrets } = (await account.json()) as { secrets: { id: string }[] };
    expect(secrets.map(({ id }) => id)).toEqual([kept]);
    expect(await restore(at, { changed: true })).toEqual([
      'brought back: account narrowed',
      'brought back: settings org/team',
    ]);
  });

  it('may be one repository, that it is there too', async () => {
    const { room, keep, lose, restore } = await aRoom({ access: 'closed', adminPassword: password });
    for (const repository of ['org/team', 'org/other']) {
      await room.send('PUT', `/-/repositories/${repository}`, { headers, body: '{}' });
    }
    const body = new Uint8Array(await aPackage());
    expect((await room.send('POST', '/api/org/team/charts', { headers, body })).status).toBe(201);
    const at = await keep();
    for (const repository of ['org/team', 'org/other']) {
      await lose({ pk: { S: 'repositories' }, sk: { S: `repository#${repository}` } });
    }
    await lose(ofVersion('demo', '1.0.0', 'org/team'));
    expect(await restore(at, { repository: parseRepository(['org', 'team']) })).toEqual([
      'brought back: repository org/team',
      'brought back: version org/team demo 1.0.0',
    ]);
    expect((await room.send('GET', '/org/team/index.yaml', { headers })).status).not.toBe(404);
  });

  it('has its objects even if a pass removed them once more before the item was there', async () => {
    const { room, keep, lose, restore, items } = await aRoom();
    await room.publish(await aPackage());
    const at = await keep();
    const lost = ofVersion('demo', '1.0.0');
    await lose(lost);
    const whether = new Map<string, boolean[]>();
    const bringBack = async (key: string) => {
      const isThere = (await items()).some(({ sk }) => sk?.S === lost.sk.S);
      whether.set(key, [...(whether.get(key) ?? []), isThere]);
    };
    const look = async () => 'there' as const;
    await restore(at, { objects: { look, bringBack } });
    expect(whether.size).toBe(2);
    for (const each of whether.values()) expect(each).toEqual([false, true]);
  });
});

it('is known to have been deleted or changed for as long as the audit is kept', () => {
  const at = new Date('2026-01-01T00:00:00Z');
  expect(isAudited(at, new Date('2026-01-02T23:00:00Z'), 2)).toBe(true);
  expect(isAudited(at, new Date('2026-01-03T00:00:00Z'), 2)).toBe(false);
});
