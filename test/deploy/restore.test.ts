import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Index, listed, sha256 } from '../whole/chartroom.ts';
import { startCloud } from './cloud.ts';
import { isDeployed } from './deploy-kind.ts';

const root = path.join(import.meta.dirname, '../..');

describe.skipIf(!isDeployed)('npm run restore', () => {
  it('brings back what a deployment has lost, packages too', async () => {
    const cloud = await startCloud();
    onTestFinished(cloud.stop);
    const { open } = inject('assemblies');
    await cloud.cdk('bootstrap', '--app', open);
    const outputs = await cloud.deploy('--app', open);
    const url = cloud.addressOf(outputs['ApiUrl'] ?? '');
    const TableName = outputs['TableName'] ?? '';
    const readIndex = async () => listed((await (await fetch(`${url}/index.yaml`)).json()) as Index);
    const digestAt = async (target: string) =>
      sha256(new Uint8Array(await (await fetch(`${url}${target}`)).arrayBuffer()));
    const tables = () => cloud.aws('dynamodb', 'list-tables', '--query', 'TableNames');
    const restore = async (...args: readonly string[]) => {
      const command = ['--import', 'tsx', 'infra/restore.ts', '--stack', 'Chartroom', ...args];
      const env = { ...process.env, ...cloud.environment };
      return (await promisify(execFile)(process.execPath, command, { cwd: root, env })).stdout;
    };

    const packages = new Map<string, Buffer>();
    for (const name of ['deleted', 'lost', 'there']) {
      const bytes = await aPackage({ name });
      packages.set(name, bytes);
      const answer = await fetch(`${url}/api/charts`, { method: 'POST', body: new Uint8Array(bytes) });
      expect(answer.status).toBe(201);
    }
    const all = ['deleted 1.0.0', 'lost 1.0.0', 'there 1.0.0'];
    expect(await readIndex()).toEqual(all);
    const at = ['--at', new Date().toISOString()];
    // MiniStack knows of no other instant than the present one: the first run makes the table as it is now.
    const tried = await restore(...at, '--dry-run');
    expect(tried).toContain('It would be: ');
    const [, copy] = /^it is in (\S+)$/m.exec(tried) ?? [];
    expect(tried).toContain(`aws dynamodb delete-table --table-name ${copy}\n`);

    expect((await fetch(`${url}/api/charts/deleted/1.0.0`, { method: 'DELETE' })).status).toBe(200);
    expect(await readIndex()).toEqual(['lost 1.0.0', 'there 1.0.0']);
    const { region, credentials, url: endpoint } = cloud;
    const dynamo = new DynamoDBClient({ region, credentials, endpoint });
    const Key = { pk: { S: 'repository#' }, sk: { S: 'chart#lost#1.0.0' } };
    await dynamo.send(new DeleteItemCommand({ TableName, Key }));

    const told = await restore(...at, '--keep');
    expect(told).toContain('brought back: version (root) lost 1.0.0\n');
    expect(told).toContain('deleted since: version (root) deleted 1.0.0\n');
    expect(told).toMatch(/^The repair: .*"healthy":true/m);
    expect(await readIndex()).toEqual(['lost 1.0.0', 'there 1.0.0']);
    expect(await tables()).toHaveLength(2);

    const more = await restore(...at, '--repository', '', '--deleted');
    expect(more).toContain('brought back: version (root) deleted 1.0.0\n');
    expect(more).toMatch(/^The repair: .*"healthy":true/m);
    expect(await readIndex()).toEqual(all);
    for (const [name, bytes] of packages) {
      expect(await digestAt(`/charts/${name}-1.0.0.tgz`)).toBe(sha256(bytes));
    }
    expect(await tables()).toEqual([TableName]);
  });
});
