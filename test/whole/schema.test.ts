import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { json } from 'node:stream/consumers';
import {
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, inject, it, onTestFinished } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { aPackage } from '../packages.ts';
import { startChartroom } from './chartroom.ts';

const Key = { pk: { S: 'deployment' }, sk: { S: 'schema' } };
const first = { ...Key, schema: { N: '1' }, version: { S: packageJson.version } };
const newer = { ...Key, schema: { N: '99' }, version: { S: '9.9.0' } };
const refusal = `the table is of schema 99, and this Chartroom (${packageJson.version}) reads schemas up to 1: deploy Chartroom 9.9.0 or a newer one`;

async function start(dataDir?: string) {
  const room = await startChartroom(dataDir === undefined ? {} : { dataDir });
  const { region, credentials, endpoints } = room.clientConfig;
  const dynamo = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const TableName = room.tableName;
  return {
    room,
    schema: async () => (await dynamo.send(new GetItemCommand({ TableName, Key }))).Item,
    put: (Item: typeof first) => dynamo.send(new PutItemCommand({ TableName, Item })),
    lose: () => dynamo.send(new DeleteItemCommand({ TableName, Key })),
    everything: async () => (await dynamo.send(new ScanCommand({ TableName }))).Items,
  };
}

it('notes the schema over older data, and refuses data of a newer one as it is', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-schema-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const fresh = await start(folder);
  expect(await fresh.schema()).toEqual(first);
  expect((await fresh.room.publish(await aPackage())).status).toBe(201);
  await fresh.lose();
  await fresh.room.stop();

  const older = await start(folder);
  expect(await older.schema()).toEqual(first);
  expect(Object.keys((await older.room.readIndex()).entries)).toEqual(['demo']);
  await older.put(newer);
  await older.room.stop();

  // It says the same again: nothing was changed.
  await expect(start(folder)).rejects.toThrow(refusal);
  await expect(start(folder)).rejects.toThrow(refusal);
});

it('fails a deployment over newer data, and neither its rollback nor its end', async () => {
  const { room, put, everything } = await start();
  onTestFinished(() => room.stop());
  const answers: unknown[] = [];
  const server = createServer(async (request, response) => {
    answers.push(await json(request));
    response.end();
  });
  const ResponseURL = `http://127.0.0.1:${await bind(server, '127.0.0.1', 0)}/answer`;
  onTestFinished(() => close(server));
  const ask = async (RequestType: string, schema: string) => {
    const names = { ResponseURL, StackId: 'stack', RequestId: 'one', LogicalResourceId: 'Schema' };
    await room.invoke('check-schema', { ...names, RequestType, ResourceProperties: { schema } });
    return answers.pop();
  };
  await put(newer);
  const before = await everything();
  expect(await ask('Update', '1')).toMatchObject({ Status: 'FAILED', Reason: `Error: ${refusal}` });
  expect(await ask('Update', '99')).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'schema' });
  expect(await ask('Delete', '1')).toMatchObject({ Status: 'SUCCESS' });
  expect(await everything()).toEqual(before);
});

it.each(['open', 'closed'] as const)(
  'is asked before a function or a right is made or changed, with %s access',
  async (access) => {
    const file = path.join(inject('assemblies')[access], 'Chartroom.template.json');
    type Resource = { readonly Type: string; readonly DependsOn?: string | readonly string[] };
    const { Resources } = JSON.parse(await readFile(file, 'utf8')) as { Resources: Record<string, Resource> };
    const all = Object.entries(Resources);
    const [check = ''] = all.flatMap(([id]) => (id.startsWith('DataNestedStack') ? [id] : []));
    const kinds = [
      'AWS::Lambda::Function',
      'AWS::IAM::Role',
      'AWS::Lambda::EventSourceMapping',
      'AWS::ApiGatewayV2::Stage',
      'AWS::CloudFormation::Stack',
    ];
    const waiting = all.filter(
      ([id, { Type }]) => id !== check && [...kinds, 'AWS::IAM::Policy'].includes(Type),
    );
    const found = new Set(waiting.map(([, { Type }]) => Type));
    for (const kind of kinds) expect(found).toContain(kind);
    for (const [id, { DependsOn }] of waiting) expect([DependsOn].flat(), id).toContain(check);

    // Nothing that the check waits for waits for the check.
    const needed = new Set<string>();
    const need = (id: string) => {
      if (needed.has(id) || !(id in Resources)) return;
      needed.add(id);
      for (const each of namesIn(Resources[id])) need(each);
    };
    need(check);
    expect(waiting.filter(([id]) => needed.has(id))).toEqual([]);
  },
);

/** All texts of a resource, with the names in `Fn::Sub`: those that it needs are among them. */
function namesIn(value: unknown): string[] {
  if (typeof value === 'string') {
    const inside = [...value.matchAll(/\$\{([A-Za-z0-9]+)/g)].map(([, name = '']) => name);
    return [value, ...inside];
  }
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(namesIn) : [];
}
