import { describe, expect, it } from 'vitest';
import { parseRepository } from '../../shared/domain/repository.ts';
import { publishFromInbox } from '../../shared/inbox.ts';
import { reconcile } from '../../shared/reconcile.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { aChartroom, adminPassword, basic, type Chartroom, contents, publish } from './chartroom.ts';

const admin = basic('admin', adminPassword);
const created = '2026-01-02T03:04:05.678Z';
const restorableUntil = '2026-01-09T03:04:05.678Z';
const DAY = 24 * 60 * 60 * 1000;
// How long index and packages are served that were asked for shortly before.
const REMEMBERED = 5_000;
const org = parseRepository(['org']);
const team = parseRepository(['org', 'team']);

/** Sends JSON as the admin. */
async function send(chartroom: Chartroom, method: string, path: string, value?: unknown) {
  const body = value === undefined ? {} : { body: JSON.stringify(value) };
  const { status, body: text } = await chartroom.send(method, path, { headers: admin, ...body });
  return { status, body: JSON.parse(text) };
}

const closed = (createOnPublish = false) => aChartroom({ access: 'closed', createOnPublish });
const octets = { 'content-type': 'application/octet-stream' };

const known = async ({ knownRepositories }: Chartroom, path = team) => await knownRepositories.get(path);

describe('PUT /-/repositories/{repository}', () => {
  it('makes an empty one, once', async () => {
    const chartroom = closed();
    const shown = { path: 'org/team', created, by: 'admin' };
    expect(await send(chartroom, 'PUT', '/-/repositories/org/team')).toEqual({ status: 201, body: shown });
    chartroom.clock.advance(DAY);
    expect(await send(chartroom, 'PUT', '/-/repositories/org/team')).toEqual({ status: 200, body: shown });
    const index = await send(chartroom, 'GET', '/org/team/index.yaml');
    expect(index).toMatchObject({ status: 200, body: { apiVersion: 'v1', entries: {} } });
    // What lies above or below it is another one.
    expect((await send(chartroom, 'GET', '/org/index.yaml')).status).toBe(404);
    expect((await send(chartroom, 'GET', '/org/team/x/index.yaml')).status).toBe(404);
  });

  it.each([{ restore: 'yes' }, { restored: true }, { restore: true, force: true }, 'restore'])(
    'refuses %j',
    async (body) => {
      const chartroom = closed();
      const answer = await send(chartroom, 'PUT', '/-/repositories/org/team', body);
      expect(answer.status).toBe(400);
      expect(answer.body.error).toContain('{"restore": true}');
      expect(await known(chartroom)).toBeUndefined();
    },
  );

  it('has nothing to bring back where nothing was deleted', async () => {
    const chartroom = closed();
    const answer = await send(chartroom, 'PUT', '/-/repositories/org/team', { restore: true });
    expect(answer).toMatchObject({
      status: 404,
      body: { error: expect.stringContaining('without "restore"') },
    });
    await send(chartroom, 'PUT', '/-/repositories/org/team');
    expect((await send(chartroom, 'PUT', '/-/repositories/org/team', { restore: true })).status).toBe(200);
  });

  it('is one repository for who asks at the same time', async () => {
    const chartroom = closed();
    const answers = await Promise.all(
      [1, 2, 3].map(async () => (await send(chartroom, 'PUT', '/-/repositories/org/team')).status),
    );
    expect(answers.toSorted()).toEqual([200, 200, 201]);
  });

  it.each(['api', 'health', 'org/charts'])('is none that would be called %s, and says why', async (path) => {
    const { status, body } = await send(aChartroom(), 'PUT', `/-/repositories/${path}`);
    expect([status, body.error]).toEqual([400, expect.stringContaining('is reserved')]);
  });

  it('is not the root repository, which is always there', async () => {
    const chartroom = closed();
    expect((await send(chartroom, 'GET', '/index.yaml')).status).toBe(200);
    for (const method of ['PUT', 'DELETE']) {
      expect((await send(chartroom, method, '/-/repositories')).status).toBe(405);
    }
  });
});

describe('GET /-/repositories', () => {
  it('lists those that were made, by path, a page at a time', async () => {
    const chartroom = closed();
    for (const path of ['b', 'a/x', 'a']) await send(chartroom, 'PUT', `/-/repositories/${path}`);
    await send(chartroom, 'DELETE', '/-/repositories/b');
    const row = (path: string) => ({ path, created, by: 'admin' });
    const deleted = { ...row('b'), deleted: created, restorableUntil };
    const page = async (query: string) => await send(chartroom, 'GET', `/-/repositories${query}`);
    expect((await page('')).body).toEqual({ repositories: [row('a'), row('a/x'), deleted] });
    expect((await page('?limit=2')).body).toEqual({ repositories: [row('a'), row('a/x')], next: 'a/x' });
    expect((await page('?limit=2&after=a%2Fx')).body).toEqual({ repositories: [deleted] });
    for (const query of ['?limit=0', '?limit=1001', '?after=', '?after=a//b']) {
      expect((await page(query)).status, query).toBe(400);
    }
  });
});

describe('GET /-/repositories/{repository}', () => {
  it('tells what was last counted, and whether everybody may read', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/repositories/org/team');
    const shown = { path: 'org/team', created, by: 'admin' };
    const get = async () => await send(chartroom, 'GET', '/-/repositories/org/team');
    expect(await get()).toEqual({ status: 200, body: { ...shown, anonymousRead: false } });
    await send(chartroom, 'PUT', '/-/settings/org/team', { anonymousRead: true });
    await chartroom.repositories.setCounts(team, { versions: 2, sizeBytes: 345 });
    const counts = { versions: 2, sizeBytes: 345, anonymousRead: true };
    expect(await get()).toEqual({ status: 200, body: { ...shown, ...counts } });
  });
});

describe('DELETE /-/repositories/{repository}', () => {
  async function deleted(chartroom: Chartroom) {
    await send(chartroom, 'PUT', '/-/repositories/org/team');
    await chartroom.send('POST', '/api/org/team/charts', {
      headers: { ...admin, ...octets },
      body: await aPackage(),
    });
    const index = await chartroom.send('GET', '/org/team/index.yaml', { headers: admin });
    const answer = await send(chartroom, 'DELETE', '/-/repositories/org/team');
    return { index, answer };
  }

  it('hides everything, and {"restore": true} brings it back whole', async () => {
    const chartroom = closed();
    const { index, answer } = await deleted(chartroom);
    const shown = { path: 'org/team', created, by: 'admin' };
    expect(answer).toEqual({ status: 202, body: { ...shown, deleted: created, restorableUntil } });
    expect((await send(chartroom, 'DELETE', '/-/repositories/org/team')).status).toBe(404);
    expect((await send(chartroom, 'GET', '/api/org/team/charts')).status).toBe(404);
    chartroom.clock.advance(REMEMBERED);
    expect((await send(chartroom, 'GET', '/org/team/index.yaml')).status).toBe(404);

    chartroom.clock.advance(7 * DAY - REMEMBERED - 1);
    const refused = await send(chartroom, 'PUT', '/-/repositories/org/team');
    expect(refused.status).toBe(409);
    expect(refused.body.error).toContain('send {"restore": true} to have it back as it was');
    expect(refused.body.error).toContain('wait until it is removed for good');
    const restored = await send(chartroom, 'PUT', '/-/repositories/org/team', { restore: true });
    expect(restored).toEqual({ status: 200, body: shown });
    expect(await chartroom.send('GET', '/org/team/index.yaml', { headers: admin })).toEqual(index);
    const download = await chartroom.send('GET', '/org/team/charts/demo-1.0.0.tgz', { headers: admin });
    expect(download.status).toBe(302);
  });

  it('is final after a week, also before anything is removed', async () => {
    const chartroom = closed();
    await deleted(chartroom);
    chartroom.clock.advance(7 * DAY);
    for (const body of [undefined, { restore: true }]) {
      const { status, body: said } = await send(chartroom, 'PUT', '/-/repositories/org/team', body);
      expect([status, said.error]).toEqual([409, expect.stringContaining('try again in two days')]);
    }
  });

  it('leaves nothing behind in the end: one that is made again is empty', async () => {
    const chartroom = closed();
    await deleted(chartroom);
    chartroom.clock.advance(8 * DAY);
    const found: unknown[] = [];
    const record = (finding: unknown) => void found.push(finding);
    const done = await reconcile({ ...chartroom, found: record }, { until: Number.POSITIVE_INFINITY });
    expect([done, found]).toEqual([true, []]);
    expect((await send(chartroom, 'GET', '/-/repositories')).body).toEqual({ repositories: [] });
    expect((await send(chartroom, 'PUT', '/-/repositories/org/team')).status).toBe(201);
    const index = await send(chartroom, 'GET', '/org/team/index.yaml');
    expect(index.body.entries).toEqual({});
  });

  it('is refused where nothing may be deleted', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/repositories/org/team');
    await send(chartroom, 'PUT', '/-/settings/org/team', { allowDelete: false });
    expect((await send(chartroom, 'DELETE', '/-/repositories/org/team')).status).toBe(405);
    expect((await known(chartroom))?.deleted).toBeUndefined();
  });

  it('is not for one that nobody made', async () => {
    const chartroom = closed();
    const { status, body } = await send(chartroom, 'DELETE', '/-/repositories/org/team');
    expect([status, body.error]).toEqual([
      404,
      'there is no repository org/team: PUT /-/repositories/org/team makes it',
    ]);
  });
});

/** Each way of publishing, as what it comes to. */
const ways = [
  {
    way: 'a package',
    publish: async (chartroom: Chartroom) => {
      const sent = { headers: { ...admin, ...octets }, body: await aPackage() };
      return (await chartroom.send('POST', '/api/org/charts', sent)).status;
    },
  },
  {
    way: 'a provenance file',
    publish: async (chartroom: Chartroom) => {
      const sent = { headers: admin, body: aProvenance(await aPackage()) };
      return (await chartroom.send('POST', '/api/org/prov', sent)).status;
    },
  },
  {
    way: 'a signed upload',
    publish: async (chartroom: Chartroom) => {
      const asked = await chartroom.send('POST', '/api/org/uploads', { headers: admin });
      if (asked.status !== 201) return asked.status;
      // Nothing is made before something is to be stored.
      expect(await known(chartroom, org)).toBeUndefined();
      const { id, fields } = JSON.parse(asked.body);
      await chartroom.objects.put(fields.key, await aPackage(), { contentType: 'application/gzip' });
      await publishFromInbox(chartroom, org, fields.key);
      const { state, status } = JSON.parse(
        (await chartroom.send('GET', `/api/org/uploads/${id}`, { headers: admin })).body,
      );
      return state === 'published' ? 201 : status;
    },
  },
  {
    way: 'a copy in the inbox',
    publish: async (chartroom: Chartroom) => {
      const key = 'inbox/org/-/demo.tgz';
      await chartroom.objects.put(key, await aPackage(), { contentType: 'application/gzip' });
      await publishFromInbox(chartroom, org, key);
      const outcome = (await chartroom.uploads.get(org, 'demo'))?.outcome;
      if (outcome?.state !== 'rejected') return 201;
      return { repository_not_found: 404, repository_deleted: 409 }[String(outcome.code)];
    },
  },
];

describe.each(ways)('publishing $way', ({ way, publish: publishTo }) => {
  const live = ({ versions }: Chartroom) => versions.items().map(({ name }) => name);

  it.each([
    { access: 'closed', createOnPublish: false, status: 404 },
    { access: 'closed', createOnPublish: true, status: 201 },
    { access: 'open', createOnPublish: false, status: 201 },
  ] as const)(
    'to one that is not there: $status with $access access, createOnPublish $createOnPublish',
    async ({ status, ...options }) => {
      const chartroom = aChartroom(options);
      const before = contents(chartroom);
      expect(await publishTo(chartroom)).toBe(status);
      const made = await known(chartroom, org);
      if (status === 404) {
        expect(made).toBeUndefined();
        expect(contents(chartroom).items).toEqual(before.items);
        return;
      }
      const publisher = options.access === 'closed' ? 'admin' : 'anyone';
      expect(made).toEqual({
        path: 'org',
        created,
        revision: expect.any(String),
        by: way === 'a copy in the inbox' ? 'bucket' : publisher,
      });
      expect(live(chartroom)).toEqual(['demo']);
    },
  );

  it.each([
    { access: 'closed', createOnPublish: false, status: 404 },
    { access: 'closed', createOnPublish: true, status: 404 },
    { access: 'open', createOnPublish: false, status: 409 },
  ] as const)(
    'to one that was deleted: $status with $access access, createOnPublish $createOnPublish',
    async ({ status, ...options }) => {
      const chartroom = aChartroom(options);
      await send(chartroom, 'PUT', '/-/repositories/org');
      await send(chartroom, 'DELETE', '/-/repositories/org');
      const before = await known(chartroom, org);
      const published =
        way === 'a signed upload'
          ? chartroom.send('POST', '/api/org/uploads', { headers: admin })
          : undefined;
      expect((await published)?.status ?? (await publishTo(chartroom))).toBe(status);
      expect(live(chartroom)).toEqual([]);
      expect(await known(chartroom, org)).toEqual(before);
    },
  );
});

describe('publishing', () => {
  it('makes no repository where the package is refused', async () => {
    const chartroom = closed(true);
    const sent = { headers: { ...admin, ...octets }, body: Buffer.from('no package') };
    expect((await chartroom.send('POST', '/api/org/charts', sent)).status).toBe(400);
    expect(await known(chartroom, org)).toBeUndefined();
  });

  it('by a form that was asked for before the repository was deleted is refused', async () => {
    const chartroom = closed();
    await send(chartroom, 'PUT', '/-/repositories/org');
    const { body } = await send(chartroom, 'POST', '/api/org/uploads');
    await send(chartroom, 'DELETE', '/-/repositories/org');
    await chartroom.objects.put(body.fields.key, await aPackage(), { contentType: 'application/gzip' });
    await publishFromInbox(chartroom, org, body.fields.key);
    expect(chartroom.versions.items()).toEqual([]);
    expect((await chartroom.uploads.get(org, body.id))?.outcome).toMatchObject({
      state: 'rejected',
      code: 'repository_not_found',
    });
  });
});

describe('with open access', () => {
  it('a repository that nobody published to is empty, and one that was deleted says so', async () => {
    const chartroom = aChartroom();
    expect((await chartroom.send('GET', '/org/index.yaml')).status).toBe(200);
    await publish(chartroom, await aPackage(), '/api/org/charts');
    expect((await send(chartroom, 'GET', '/-/repositories')).body.repositories).toEqual([
      { path: 'org', created, by: 'anyone' },
    ]);
    await send(chartroom, 'DELETE', '/-/repositories/org');
    chartroom.clock.advance(REMEMBERED);
    for (const path of [
      '/org/index.yaml',
      '/api/org/charts',
      '/org/charts/demo-1.0.0.tgz',
      '/-/settings/org',
    ]) {
      const { status, body } = await send(chartroom, 'GET', path);
      expect([path, status, body.error]).toEqual([
        path,
        404,
        expect.stringContaining('{"restore": true} brings it back'),
      ]);
    }
  });
});
