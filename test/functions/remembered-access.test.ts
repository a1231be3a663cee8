import { describe, expect, it } from 'vitest';
import { endpoints } from '../../shared/routes.ts';
import { aPackage } from '../packages.ts';
import { aChartroom, adminPassword, basic, type Chartroom } from './chartroom.ts';

const admin = basic('admin', adminPassword);
const PASSWORD = 'twelve chars';
const reader = basic('ada', PASSWORD);
const stranger = basic('eve', PASSWORD);

type Headers = Readonly<Record<string, string>>;

/** A chart in `org`, which `ada` may read, and `eve` not. */
async function aRepository(access: 'open' | 'closed' = 'closed') {
  const chartroom = aChartroom({ access });
  const put = async (path: string, value: object) =>
    await chartroom.send('PUT', path, { headers: admin, body: JSON.stringify(value) });
  const user = { kind: 'user', password: PASSWORD };
  if (access === 'closed') {
    await put('/-/accounts/ada', { ...user, grants: [{ role: 'reader', on: 'org' }] });
    await put('/-/accounts/eve', { ...user, grants: [] });
  }
  await put('/-/repositories/org', {});
  const sent = { headers: { ...admin, 'content-type': 'application/octet-stream' }, body: await aPackage() };
  await chartroom.send('POST', '/api/org/charts', sent);
  return { chartroom, openToAll: (anonymousRead: boolean) => put('/-/settings/org', { anonymousRead }) };
}

/** What each path of a hot endpoint answers to somebody. */
async function read(chartroom: Chartroom, headers: Headers = {}): Promise<(number | undefined)[]> {
  const statuses = [];
  for (const at of ['/org', '/chartrepo/org']) {
    for (const path of ['index.yaml', 'charts/demo-1.0.0.tgz', 'charts/demo/index.yaml']) {
      statuses.push((await chartroom.send('GET', `${at}/${path}`, { headers })).status);
    }
  }
  return statuses;
}

const everywhere = (status: number) => [status, status, status, status, status, status];
const served = [200, 302, 200, 200, 302, 200];

const remove = (chartroom: Chartroom) => chartroom.send('DELETE', '/-/repositories/org', { headers: admin });

it('is for what Helm waits for, and for nothing that shows more', () => {
  const remembering = Object.entries(endpoints).filter(([, row]) => 'remembersAccess' in row);
  expect(remembering.map(([id]) => id)).toEqual(['get-index', 'get-package', 'get-chart-index']);
});

describe('a repository that was deleted', () => {
  it.each([
    { who: 'an account', access: 'closed', headers: reader, after: 404 },
    { who: 'anybody, where access is open', access: 'open', headers: {}, after: 404 },
    { who: 'nobody in particular, where everybody may read', access: 'closed', headers: {}, after: 401 },
  ] as const)(
    'is served for five seconds more, by what served it: $who',
    async ({ access, headers, after }) => {
      const { chartroom, openToAll } = await aRepository(access);
      await openToAll(true);
      expect(await read(chartroom, headers)).toEqual(served);
      expect((await remove(chartroom)).status).toBe(202);
      expect((await chartroom.send('GET', '/api/org/charts', { headers })).status).toBe(after);
      chartroom.clock.advance(4_999);
      expect(await read(chartroom, headers)).toEqual(served);
      chartroom.clock.advance(1);
      expect(await read(chartroom, headers)).toEqual(everywhere(after));
    },
  );

  it('is refused at once by what had not served it, and is there again at once', async () => {
    const { chartroom } = await aRepository();
    await remove(chartroom);
    expect(await read(chartroom, reader)).toEqual(everywhere(404));
    const restore = { headers: admin, body: '{"restore": true}' };
    expect((await chartroom.send('PUT', '/-/repositories/org', restore)).status).toBe(200);
    expect(await read(chartroom, reader)).toEqual(served);
  });
});

describe('a repository that everybody may read', () => {
  it.each([
    { who: 'nobody in particular', headers: {}, refused: 401 },
    { who: 'an account without a grant', headers: stranger, refused: 404 },
  ])('is open at once and closed after five seconds: $who', async ({ headers, refused }) => {
    const { chartroom, openToAll } = await aRepository();
    expect(await read(chartroom, headers)).toEqual(everywhere(refused));
    await openToAll(true);
    expect(await read(chartroom, headers)).toEqual(served);
    await openToAll(false);
    chartroom.clock.advance(4_999);
    expect(await read(chartroom, headers)).toEqual(served);
    chartroom.clock.advance(1);
    expect(await read(chartroom, headers)).toEqual(everywhere(refused));
    expect(await read(chartroom, reader)).toEqual(served);
  });
});

it('lets nobody in because somebody else was', async () => {
  const { chartroom } = await aRepository();
  expect(await read(chartroom, reader)).toEqual(served);
  expect(await read(chartroom)).toEqual(everywhere(401));
  expect(await read(chartroom, stranger)).toEqual(everywhere(404));
  expect(await read(chartroom, basic('ada', 'wrong password'))).toEqual(everywhere(401));
});
