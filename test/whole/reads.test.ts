import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { indexTag } from '../../shared/index-objects.ts';
import { aPackage } from '../packages.ts';
import { anAdminRobot, type Chartroom, startChartroom } from './chartroom.ts';

/** What a read takes: the answer's status, and every call to a store from its beginning to its end. */
type Read = { readonly status: number; readonly calls: readonly string[] };

type Headers = Readonly<Record<string, string>>;

const MARKS_AND_POINTER = ['dynamodb Query', 'dynamodb GetItem'];
const VERSION = ['dynamodb GetItem'];

/** Each depth of repository, and the other addresses that lead to one. */
const SMALL = ['', '/charts', '/org', '/chartrepo/org', '/org/team', '/org/team/charts-of-it'];
const LARGE = '/large';
const MADE = ['org', 'org/team', 'org/team/charts-of-it', 'large'];

const PASSWORD = 'correct horse';

/** A Chartroom with a chart in each repository, and a large index in one. */
async function aFilledChartroom(access: 'open' | 'closed'): Promise<Chartroom & { readonly robot: Headers }> {
  const chartroom = await startChartroom({ access, ...(access === 'closed' && { adminPassword: PASSWORD }) });
  // Where access is open nobody looks at it.
  const account = access === 'open' ? 'who:ever' : await anAdminRobot(chartroom, PASSWORD);
  const robot: Headers = { authorization: `Basic ${btoa(account)}` };
  const send = async (method: string, path: string, body: Uint8Array | string) => {
    const sent = { headers: robot, body: new Uint8Array(Buffer.from(body)) };
    expect((await chartroom.send(method, path, sent)).status).toBeLessThan(300);
  };
  for (const repository of MADE) await send('PUT', `/-/repositories/${repository}`, '');
  if (access === 'closed') {
    for (const repository of ['', ...MADE]) {
      await send('PUT', `/-/settings/${repository}`.replace(/\/$/, ''), '{"anonymousRead": true}');
    }
  }
  const bytes = await aPackage();
  for (const repository of ['', ...MADE])
    await send('POST', `/api/${repository}/charts`.replace('//', '/'), bytes);
  for (let n = 0; n < 6; n += 1) {
    const large = await aPackage({ name: `large${n}`, description: 'x'.repeat(100_000) });
    await send('POST', '/api/large/charts', large);
  }
  await chartroom.idle();
  return Object.assign(chartroom, { robot });
}

const modes = [
  { mode: 'closed, with an account', access: 'closed', isKnown: true },
  { mode: 'closed, without an account', access: 'closed', isKnown: false },
  { mode: 'open', access: 'open', isKnown: false },
  { mode: 'open, to whoever sends a password', access: 'open', isKnown: true },
] as const;

describe.each(['closed', 'open'] as const)('what a read costs with %s access', (access) => {
  let chartroom: Awaited<ReturnType<typeof aFilledChartroom>>;
  beforeAll(async () => {
    chartroom = await aFilledChartroom(access);
  });
  afterEach(() => {
    chartroom.onCall = undefined;
  });
  afterAll(() => chartroom.stop());

  describe.each(modes.filter((mode) => mode.access === access))('$mode', ({ mode, isKnown }) => {
    const who = () => (isKnown ? chartroom.robot : {});

    async function read(path: string, headers: Headers = {}, method = 'GET'): Promise<Read> {
      const calls: string[] = [];
      chartroom.onCall = ({ service, operation }) => calls.push(`${service} ${operation}`);
      const { status } = await chartroom.send(method, path, { headers: { ...who(), ...headers } });
      return { status, calls };
    }

    /** Three reads, one after the other, come to cost this: the first one may find nothing remembered. */
    async function expectToCost(ask: () => Promise<Read>, status: number, calls: readonly string[]) {
      const three = async () => [await ask(), await ask(), await ask()];
      await expect.poll(three, { timeout: 10_000 }).toEqual(Array(3).fill({ status, calls }));
    }

    const etagOf = async (path: string) =>
      (await chartroom.send('HEAD', path, { headers: who() })).headers.get('etag') ?? '';

    it.each(SMALL)('an index that is remembered is two reads of the table: %s', async (at) => {
      await expectToCost(() => read(`${at}/index.yaml`), 200, MARKS_AND_POINTER);
    });

    it.each([...SMALL, LARGE])('so is a 304: %s', async (at) => {
      const known = { 'if-none-match': await etagOf(`${at}/index.yaml`) };
      await expectToCost(() => read(`${at}/index.yaml`, known), 304, MARKS_AND_POINTER);
    });

    it('so is the way to a large index', async () => {
      await expectToCost(() => read(`${LARGE}/index.yaml`), 302, MARKS_AND_POINTER);
    });

    it('the bucket is asked for an index once, and not for a 304', async () => {
      const inBucket = async (headers: Headers) =>
        (await read('/org/index.yaml', headers)).calls.filter((call) => call.startsWith('s3'));
      const version = `2.0.${modes.findIndex((each) => each.mode === mode)}`;
      const body = new Uint8Array(await aPackage({ version }));
      const published = await chartroom.send('POST', '/api/org/charts', { headers: chartroom.robot, body });
      expect(published.status).toBe(201);
      // The indexer makes the next index, which the readers' function has not seen.
      await chartroom.idle();
      const { pointer } = (await chartroom.publishedIndex('org')) ?? {};
      const known = { 'if-none-match': `"${indexTag(pointer?.folder ?? '')}"` };
      expect([await inBucket(known), await inBucket({}), await inBucket({})]).toEqual([
        [],
        ['s3 GetObject'],
        [],
      ]);
    });

    it.each([...SMALL, LARGE])('the way to a package is one: %s', async (at) => {
      await expectToCost(() => read(`${at}/charts/demo-1.0.0.tgz`), 302, VERSION);
    });

    it('so is what HEAD says of a package', async () => {
      await expectToCost(() => read('/org/charts/demo-1.0.0.tgz', {}, 'HEAD'), 200, VERSION);
    });

    it('a package that is not there costs no more', async () => {
      await expectToCost(() => read('/org/charts/demo-9.9.9.tgz'), 404, VERSION);
    });
  });
});
