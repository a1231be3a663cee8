import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { aPackage } from '../packages.ts';
import { type AnyChartroom, sha256, startAnyChartroom } from './chartroom.ts';

type Change = { readonly action: string; readonly by: { readonly account: string } };

const basic = (account: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${account}:${password}`).toString('base64')}`,
});
const admin = basic('admin', 'correct horse');

describe('the audit of a whole Chartroom', () => {
  let chartroom: AnyChartroom;
  beforeAll(async () => {
    chartroom = await startAnyChartroom({ access: 'closed', adminPassword: 'correct horse' });
  });
  afterAll(() => chartroom.stop());

  const changes = async (query: string): Promise<Change[]> => {
    const answer = await chartroom.send('GET', `/-/audit?${query}`, { headers: admin });
    expect(answer.status).toBe(200);
    return ((await answer.json()) as { changes: Change[] }).changes;
  };

  it('tells what a robot published and deleted, though nobody reads, and who made the robot', async () => {
    const send = (
      method: string,
      path: string,
      headers: Record<string, string>,
      body?: NonNullable<RequestInit['body']>,
    ) => chartroom.send(method, path, { headers, ...(body && { body }) });
    const json = { ...admin, 'content-type': 'application/json' };
    expect((await send('PUT', '/-/repositories/org/team', admin)).status).toBe(201);
    const robot = JSON.stringify({ kind: 'robot', grants: [{ role: 'maintainer', on: 'org/*' }] });
    expect((await send('PUT', '/-/accounts/ci', json, robot)).status).toBe(201);
    const made = await send('POST', '/-/accounts/ci/secrets', json, '{"expiresInDays":1}');
    const ci = basic('ci', ((await made.json()) as { secret: string }).secret);
    const bytes = new Uint8Array(await aPackage());
    const published = { ...ci, 'x-request-id': 'published' };
    expect((await send('POST', '/api/org/team/charts', published, bytes)).status).toBe(201);
    expect((await send('DELETE', '/api/org/team/charts/demo/1.0.0', ci)).status).toBe(200);
    expect((await send('PUT', '/-/accounts/ci', json, '{"kind":"user"}')).status).toBe(400);

    const ofVersion = await vi.waitFor(
      async () => {
        const found = await changes('repository=org/team');
        expect(found).toHaveLength(3);
        return found;
      },
      { timeout: 60_000, interval: 100 },
    );
    const version = { repository: 'org/team', name: 'demo', version: '1.0.0' };
    expect(ofVersion).toMatchObject([
      { ...version, action: 'deleted', by: { account: 'ci', kind: 'robot' }, was: sha256(bytes) },
      {
        ...version,
        action: 'published',
        by: {
          account: 'ci',
          kind: 'robot',
          address: expect.stringMatching(/127\.0\.0\.1|::1/),
          requestId: 'published',
        },
        digest: sha256(bytes),
      },
      { repository: 'org/team', action: 'repository_created', by: { account: 'admin' } },
    ]);
    const ofRobot = await changes('account=ci');
    expect(ofRobot.map(({ action, by }) => `${by.account} ${action}`)).toEqual([
      'ci deleted',
      'ci published',
      'admin secret_created',
      'admin account_created',
    ]);
    const ofDay = await changes(`day=${new Date().toISOString().slice(0, 10)}`);
    expect(ofDay).toEqual(expect.arrayContaining([...ofVersion, ...ofRobot]));
  });

  it('shows nothing to who is no admin', async () => {
    expect((await chartroom.send('GET', '/-/audit?repository=')).status).toBe(401);
  });
});
