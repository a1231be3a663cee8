import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, startChartroom } from '../whole/chartroom.ts';

/** A Python with harborapi, a client made from Harbor's description of its API. */
const python = process.env['HARBORAPI_PYTHON'] || undefined;
if (python === undefined) {
  console.info(
    "The tests with Harbor's client are left out: HARBORAPI_PYTHON names no Python (.ci/run does)",
  );
}

const password = 'correct horse';
const authorization = `Basic ${btoa(`admin:${password}`)}`;

async function started(access: 'open' | 'closed'): Promise<Chartroom> {
  const chartroom = await startChartroom({ access, adminPassword: password });
  onTestFinished(() => chartroom.stop());
  const put = async (at: string, body?: string) =>
    await chartroom.send('PUT', at, { headers: { authorization }, ...(body !== undefined && { body }) });
  expect((await put('/-/repositories/charted')).status).toBe(201);
  expect((await put('/-/accounts/ada', JSON.stringify({ kind: 'user', password }))).status).toBe(201);
  const published = await chartroom.send('POST', '/api/charted/charts', {
    body: new Uint8Array(await aPackage()),
    headers: { authorization, 'content-type': 'application/octet-stream' },
  });
  expect(published.status).toBe(201);
  return chartroom;
}

/** Throws with what the client printed where anything is not as it should be. */
const runClient = async (...args: readonly string[]) =>
  await promisify(execFile)(python ?? '', [path.join(import.meta.dirname, 'main.py'), ...args]);

describe.skipIf(python === undefined)("a client of Harbor's", () => {
  it('makes, lists, changes and deletes projects with open access', async () => {
    const { url } = await started('open');
    await runClient(url);
  });

  it('does so with closed access as the admin, and with members', async () => {
    const { url } = await started('closed');
    await runClient(url, 'admin', password, 'ada');
  });
});
