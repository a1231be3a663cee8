import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invokeOn } from '../../local/invoke.ts';
import { type LocalStack, startLocal } from '../../local/stack.ts';
import { writeAssembly } from './assembly.ts';

const assembly = writeAssembly({
  functions: {
    getindex123: 'export const handler = async (event) => ({ event });',
    getchart123: 'export const handler = async () => { throw new Error("broken"); };',
  },
});
const dataDir = mkdtempSync(path.join(tmpdir(), 'chartroom-invoke-'));
const lockFile = path.join(dataDir, 'lock');
afterAll(() => rmSync(dataDir, { recursive: true }));

describe('a function invoked by hand', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await startLocal({ assembly, dataDir });
  });
  afterAll(() => stack.stop());

  describe.each<{ how: string; invoke: (name: string, payload?: unknown) => Promise<unknown> }>([
    { how: 'on the stack', invoke: (name, payload) => stack.invoke(name, payload) },
    { how: 'by who holds the data folder', invoke: (name, payload) => invokeOn(dataDir, name, payload) },
  ])('$how', ({ invoke }) => {
    it.each(['getindex123', 'getindex', 'get-index'])('is found as %s', async (name) => {
      expect(await invoke(name, { dryRun: true })).toEqual({ event: { dryRun: true } });
    });

    it('may get no payload', async () => {
      expect(await invoke('get-index')).toEqual({ event: null });
    });

    it('throws what the function throws', async () => {
      await expect(invoke('get-chart')).rejects.toThrow('broken');
    });

    it.each(['nothing', 'get', 'a/b'])('is not found as %s', async (name) => {
      await expect(invoke(name)).rejects.toThrow(`${name} is not one function`);
    });
  });

  it('takes the secret that only its owner can read', async () => {
    expect(statSync(lockFile).mode & 0o777).toBe(0o600);
    const { url } = JSON.parse(readFileSync(lockFile, 'utf8')) as { url: string };
    const path = `${url}/2015-03-31/functions/getindex/invocations`;
    for (const authorization of ['', 'Bearer ', 'Bearer guess']) {
      const answer = await fetch(path, { method: 'POST', body: '{}', headers: { authorization } });
      expect(answer.status).toBe(403);
    }
  });
});

it('starts a stack where none holds the folder, and stops it', async () => {
  const folder = path.join(dataDir, 'idle');
  expect(await invokeOn(folder, 'get-index', 1, { assembly })).toEqual({ event: 1 });
  await expect(invokeOn(folder, 'get-chart', 1, { assembly })).rejects.toThrow('broken');
  expect(existsSync(path.join(folder, 'lock'))).toBe(false);
});
