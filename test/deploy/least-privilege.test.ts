import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Cloud, startCloud } from './cloud.ts';
import { isEnforced } from './deploy-kind.ts';

type Statement = { Action: string | string[]; Resource: unknown; Condition?: unknown };
type Policy = { Statement: Statement[] };
type Edit = (statement: Statement) => readonly Statement[];

/** Takes an action out of a role. */
const without =
  (action: string): Edit =>
  (statement) => {
    const left = [statement.Action].flat().filter((each) => each !== action);
    return left.length === 0 ? [] : [{ ...statement, Action: left }];
  };

/** Leaves a role other values than it had, wherever a statement names one. */
const elsewhere =
  (from: string, to: string): Edit =>
  (statement) => [JSON.parse(JSON.stringify(statement).replaceAll(from, to)) as Statement];

const notWithPut: Edit = (statement) =>
  [statement.Action].flat().includes('dynamodb:PutItem')
    ? elsewhere('audit#*', 'other#*')(statement)
    : [statement];

describe.skipIf(!isEnforced)('a deployed function whose role lacks a right', () => {
  let cloud: Cloud;
  let outputs: Readonly<Record<string, string>>;
  let url: string;
  let roles: readonly string[];

  beforeAll(async () => {
    cloud = await startCloud();
    const assembly = inject('assemblies').open;
    await cloud.cdk('bootstrap', '--app', assembly);
    outputs = await cloud.deploy('--app', assembly);
    url = cloud.addressOf(outputs['ApiUrl'] ?? '');
    roles = (await cloud.aws('iam', 'list-roles', '--query', 'Roles[].RoleName')) as string[];
    const body = new Uint8Array(await aPackage({ files: { 'values.yaml': 'a: 1\n' } }));
    expect((await fetch(`${url}/api/charts`, { method: 'POST', body })).status).toBe(201);
  });
  afterAll(() => cloud.stop());

  const status = async (method: string, path: string, body?: string) =>
    (await fetch(`${url}${path}`, { method, redirect: 'manual', ...(body !== undefined && { body }) }))
      .status;

  /** Changes what stands in a function's role. @returns what puts it back */
  async function edit(functionId: string, change: Edit): Promise<() => Promise<unknown>> {
    const named = roles.filter((each) => each.includes(`${functionId.replaceAll('-', '')}Role`));
    expect(named).toHaveLength(1);
    const which = ['--role-name', named[0] ?? '', '--policy-name', 'Rights'];
    const { PolicyDocument: before } = (await cloud.aws('iam', 'get-role-policy', ...which)) as {
      PolicyDocument: Policy;
    };
    const put = (document: Policy) =>
      cloud.aws('iam', 'put-role-policy', ...which, '--policy-document', JSON.stringify(document));
    const after = { ...before, Statement: before.Statement.flatMap(change) };
    expect(after).not.toEqual(before);
    await put(after);
    const putBack = () => put(before);
    onTestFinished(async () => void (await putBack()));
    return putBack;
  }

  it.each([
    {
      what: 'an action',
      of: 'get-version',
      change: without('dynamodb:Query'),
      path: '/api/charts/demo/1.0.0',
    },
    {
      what: 'a partition',
      of: 'get-settings',
      change: elsewhere('repository#*', 'other#*'),
      path: '/-/settings',
    },
    {
      what: 'an index of the table',
      of: 'get-index',
      change: elsewhere('/index/', '/other/'),
      path: '/index.yaml',
    },
    {
      what: 'a prefix of the bucket',
      of: 'get-values',
      change: elsewhere('/files/*', '/other/*'),
      path: '/api/charts/demo/1.0.0/values',
    },
  ])('is refused $what, until it is granted again', async ({ of, change, path }) => {
    expect(await status('GET', path)).toBe(200);
    const putBack = await edit(of, change);
    expect(await status('GET', path)).toBe(500);
    await putBack();
    expect(await status('GET', path)).toBe(200);
  });

  it('is refused a part of a transaction, and so all of it', async () => {
    const change = ['PUT', '/-/settings', '{"allowForce":false}'] as const;
    const putBack = await edit('put-settings', notWithPut);
    expect(await status(...change)).toBe(500);
    const read = async () => await (await fetch(`${url}/-/settings`)).json();
    const before = await read();
    await putBack();
    expect(await status(...change)).toBe(200);
    expect(await read()).not.toEqual(before);
  });

  it('signs what nobody can use', async () => {
    const download = async () => (await fetch(`${url}/charts/demo-1.0.0.tgz`)).status;
    expect(await download()).toBe(200);
    const putBack = await edit('get-package', without('s3:GetObject'));
    expect(await download()).toBe(403);
    await putBack();
    expect(await download()).toBe(200);
  });

  it('fails by the name of what was not granted', async () => {
    const repair = () => cloud.invoke(outputs['RepairFunctionName'] ?? '', { dryRun: true });
    const putBack = await edit('repair', without('dynamodb:Scan'));
    await expect(repair()).rejects.toThrow(/not authorized to perform: dynamodb:Scan/);
    await putBack();
    expect(await repair()).toHaveProperty('healthy');
  });
});
