import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { synthesize } from '../../local/synthesize.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'chartroom-synthesize-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Names of all files of an assembly, and the bytes of its templates. */
async function made(name: string, context: Readonly<Record<string, unknown>>) {
  const outDir = await synthesize({ outDir: path.join(folder, name), context });
  const files = readdirSync(outDir, { recursive: true }).map(String).toSorted();
  const templates = files.filter((file) => file.endsWith('.template.json') || file.endsWith('.assets.json'));
  return { files, templates: templates.map((file) => readFileSync(path.join(outDir, file), 'utf8')) };
}

const open = { access: 'open', accessReason: 'a test on this computer', auditDays: 33 };

it('makes the same of the same settings, whether it is copied or not', async () => {
  const first = await made('first', open);
  expect(await made('second', open)).toEqual(first);
  expect(first.files.length).toBeGreaterThan(100);
});

it('makes something else of other settings', async () => {
  const days = async (name: string, auditDays: number) =>
    (await made(name, { ...open, auditDays })).templates.join('');
  expect(await days('33', 33)).toContain('"AUDIT_DAYS": "33"');
  expect(await days('34', 34)).toContain('"AUDIT_DAYS": "34"');
});

it('says what is wrong with settings, each time', async () => {
  for (const name of ['wrong', 'wrong again']) {
    await expect(made(name, { access: 'ajar' })).rejects.toThrow(/"ajar"/);
  }
});
