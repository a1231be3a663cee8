import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, startChartroom } from '../whole/chartroom.ts';

type Statement = { Action: string | string[]; Resource: unknown; Condition?: unknown };
type Role = { Properties: { Policies: { PolicyDocument: { Statement: Statement[] } }[] } };
type Edit = (statement: Statement) => readonly Statement[];

/** The open stack, with rights taken away from the roles of some functions. @returns the folder of the assembly */
function withRoles(edits: Readonly<Record<string, Edit>>): string {
  const from = inject('assemblies').open;
  const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-roles-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of readdirSync(from)) {
    if (name.startsWith('asset.')) symlinkSync(path.join(from, name), path.join(folder, name));
    else cpSync(path.join(from, name), path.join(folder, name), { recursive: true });
  }
  const [file = ''] = readdirSync(folder).filter((name) => /^\w+\.template\.json$/.test(name));
  const template = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  for (const [prefix, edit] of Object.entries(edits)) {
    const [id = ''] = Object.keys(template.Resources).filter((each) => each.startsWith(`${prefix}Role`));
    for (const { PolicyDocument: document } of (template.Resources[id] as Role).Properties.Policies) {
      document.Statement = document.Statement.flatMap(edit);
    }
  }
  writeFileSync(path.join(folder, file), JSON.stringify(template));
  return folder;
}

/** Takes an action out of a role. */
const without =
  (action: string): Edit =>
  (statement) => {
    const left = [statement.Action].flat().filter((each) => each !== action);
    return left.length === 0 ? [] : [{ ...statement, Action: left }];
  };

/** Leaves a role another partition of the table alone. */
const elsewhere: Edit = (statement) => [
  JSON.stringify(statement.Condition ?? '').includes('LeadingKeys')
    ? { ...statement, Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['other#*'] } } }
    : statement,
];

describe('a function whose role lacks a right', () => {
  let room: Chartroom;
  const log: string[] = [];
  beforeAll(async () => {
    const assembly = withRoles({
      getversion: without('dynamodb:Query'),
      getsettings: elsewhere,
      getvalues: without('s3:GetObject'),
      putsettings: without('dynamodb:PutItem'),
      createupload: without('s3:PutObject'),
    });
    // What is refused here on purpose proves nothing about the roles that are deployed.
    vi.stubEnv('CHARTROOM_ACTS', undefined);
    room = await startChartroom({ assembly, log: (line) => log.push(line) });
    vi.unstubAllEnvs();
    expect((await room.publish(await aPackage())).status).toBe(201);
  });
  afterAll(() => room.stop());

  it.each([
    { what: 'an action', path: '/api/charts/demo/1.0.0', denied: 'dynamodb:Query on .*Metadata' },
    { what: 'a partition', path: '/-/settings', denied: 'dynamodb:GetItem on .*repository#' },
    { what: 'a prefix', path: '/api/charts/demo/1.0.0/values', denied: 's3:GetObject on .*/files/' },
  ])('is refused $what', async ({ path: asked, denied }) => {
    expect((await room.send('GET', asked)).status).toBe(500);
    expect(log.join('\n')).toMatch(new RegExp(`may not ${denied}`));
  });

  it('is refused a part of a transaction', async () => {
    await room.idle();
    const before = await room.items();
    expect((await room.send('PUT', '/-/settings', { body: '{"allowForce": false}' })).status).toBe(500);
    expect(await room.items()).toEqual(before);
  });

  it('signs a form that nobody can use', async () => {
    const made = await room.send('POST', '/api/uploads');
    const { url, fields } = (await made.json()) as { url: string; fields: Record<string, string> };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('file', new Blob([new Uint8Array(await aPackage())]));
    expect((await fetch(url, { method: 'POST', body: form })).status).toBe(403);
  });
});
