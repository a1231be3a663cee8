import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { synthesize } from '../../local/synthesize.ts';
import { aPackage } from '../packages.ts';
import { startCloud } from './cloud.ts';
import { isDeployed } from './deploy-kind.ts';

/**
 * Another Chartroom: it changes every function by a setting, and asks for the schema, as whatever has other code does.
 *
 * @returns its assembly
 */
async function another(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-another-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const context = { access: 'open', accessReason: 'a test on this computer', auditDays: '30' };
  const outDir = await synthesize({ outDir: path.join(folder, 'assembly'), context });
  const names = await readdir(outDir);
  const texts = new Map<string, string>();
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    texts.set(name, await readFile(path.join(outDir, name), 'utf8'));
  }
  const [nested = ''] = [...texts.keys()].filter((name) => texts.get(name)?.includes('Custom::DataSchema'));
  const template = texts.get(nested) ?? '';
  const changed = template.replace(/("code": ")[0-9a-f]{64}"/, `$1${'0'.repeat(64)}"`);
  expect(changed).not.toBe(template);
  texts.set(nested, changed);
  // A template has its digest for a name, by which it is known to be there already.
  const assets = [...texts.values()].map((text) => JSON.parse(text) as { readonly files?: object });
  const files = Object.assign({}, ...assets.map((each) => each.files ?? {})) as Record<
    string,
    { readonly source: { readonly path: string } }
  >;
  const [digest = ''] = Object.entries(files).flatMap(([key, { source }]) =>
    source.path === nested ? [key] : [],
  );
  const other = createHash('sha256').update(changed).digest('hex');
  for (const [name, text] of texts) {
    await writeFile(path.join(outDir, name), digest === '' ? text : text.replaceAll(digest, other));
  }
  return outDir;
}

describe.skipIf(!isDeployed)('a deployment over data of a newer schema', () => {
  it('is refused before it changes another function, and everything serves as before', async () => {
    const cloud = await startCloud();
    onTestFinished(cloud.stop);
    const { aws, url: endpoint, region, credentials } = cloud;
    const { open } = inject('assemblies');
    await cloud.cdk('bootstrap', '--app', open);
    const outputs = await cloud.deploy('--app', open);
    const url = cloud.addressOf(outputs['ApiUrl'] ?? '');
    const body = new Uint8Array(await aPackage());
    expect((await fetch(`${url}/api/charts`, { method: 'POST', body })).status).toBe(201);
    const index = await (await fetch(`${url}/index.yaml`)).text();

    const TableName = outputs['TableName'] ?? '';
    const dynamo = new DynamoDBClient({ region, credentials, endpoint });
    const newer = { schema: { N: '99' }, version: { S: '9.9.0' } };
    const Item = { pk: { S: 'deployment' }, sk: { S: 'schema' }, ...newer };
    await dynamo.send(new PutItemCommand({ TableName, Item }));
    const items = async () => (await dynamo.send(new ScanCommand({ TableName }))).Items;
    const functions = async () => {
      const query = 'Functions[].[FunctionName, LastModified, Environment.Variables.AUDIT_DAYS]';
      const all = (await aws('lambda', 'list-functions', '--query', query)) as [string, string, string][];
      return all.filter(([name]) => !name.includes('-DataNestedStack')).toSorted();
    };
    const before = { items: await items(), functions: await functions() };

    const deploying = cloud.deploy('--app', await another());
    await expect(deploying).rejects.toThrow('deploy Chartroom 9.9.0 or a newer one');
    expect({ items: await items(), functions: await functions() }).toEqual(before);
    expect(await (await fetch(`${url}/index.yaml`)).text()).toBe(index);
    const again = new Uint8Array(await aPackage({ version: '1.1.0' }));
    expect((await fetch(`${url}/api/charts`, { method: 'POST', body: again })).status).toBe(201);
  });
});
