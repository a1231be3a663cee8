import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { aPackage } from '../packages.ts';
import { type Chartroom, listed, sha256, startChartroom } from './chartroom.ts';
import { expectNothingHalfMade } from './faults.ts';

let chartroom: Chartroom;
beforeAll(async () => {
  chartroom = await startChartroom({ retryAfterMs: 100 });
});
afterEach(() => {
  chartroom.intercept = undefined;
  chartroom.deliver = undefined;
});
afterAll(() => chartroom.stop());

describe('events', () => {
  it.each([
    { how: 'twice', delays: [0, 40] },
    { how: 'late', delays: [400] },
    { how: 'never', delays: [] },
  ])('may come $how: what was acknowledged is in the next index', async ({ how, delays }) => {
    chartroom.deliver = () => delays;
    const repository = `events/${how}`;
    const packages = await Promise.all(['1.0.0', '1.1.0', '1.2.0'].map((version) => aPackage({ version })));
    for (const bytes of packages) expect((await chartroom.publish(bytes, repository)).status).toBe(201);
    expect((await expectNothingHalfMade(chartroom, repository)).size).toBe(3);
    expect((await chartroom.send('DELETE', `/api/${repository}/charts/demo/1.1.0`)).status).toBe(200);
    expect(listed(await chartroom.readIndex(repository))).toEqual(['demo 1.2.0', 'demo 1.0.0']);
    await chartroom.idle();
    expect(listed(await chartroom.readIndex(repository))).toEqual(['demo 1.2.0', 'demo 1.0.0']);
  });

  it('commit what a publisher left that died after it had put the package', async () => {
    const bytes = await aPackage();
    chartroom.intercept = ({ caller, operation, key = '' }) =>
      caller.startsWith('publishpackage') && operation === 'PutObject' && key.endsWith('.tgz')
        ? 'kill-after'
        : 'pass';
    expect((await chartroom.publish(bytes, 'left')).status).toBeGreaterThanOrEqual(500);
    await vi.waitFor(
      async () => {
        expect((await chartroom.publishedIndex('left'))?.pointer.versions).toBe(1);
      },
      { timeout: 30_000, interval: 20 },
    );
    expect((await expectNothingHalfMade(chartroom, 'left')).get('1.0.0')).toBe(sha256(bytes));
  });
});

describe('many at once', () => {
  /** Twenty publishers, each with one upload after the other. @returns what they published, and for how long */
  async function publishByTwenty(repository: string, uploads: number) {
    const waiting = Array.from({ length: uploads }, (_, n) => ({
      name: `chart${n % 7}`,
      version: `1.${n % 20}.${n}`,
    }));
    const published = waiting.map(({ name, version }) => `${name} ${version}`).toSorted();
    const begin = performance.now();
    const publisher = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        expect((await chartroom.publish(await aPackage(next), repository)).status).toBe(201);
      }
    };
    await Promise.all(Array.from({ length: 20 }, publisher));
    return { published, took: () => performance.now() - begin };
  }

  const flipsOf = async (repository: string) =>
    (await chartroom.publishedIndex(repository))?.pointer.sequence ?? 0;

  it('of 200 uploads by 20 publishers all are in the index, once each, by few refreshes', async () => {
    const { published, took } = await publishByTwenty('many', 200);
    await chartroom.idle();
    // The queue gathers for a second, and hands on 100 events at most.
    expect(await flipsOf('many')).toBeLessThanOrEqual(Math.max(20, took() / 1_000 + 4));
    const { index } = (await chartroom.publishedIndex('many')) ?? {};
    expect(index && listed(index).toSorted()).toEqual(published);
  });

  it('and while others read all the time, refreshes stay few', async () => {
    let isDone = false;
    const seen = new Set<string>();
    const reader = async () => {
      while (!isDone) for (const each of listed(await chartroom.readIndex('read'))) seen.add(each);
    };
    const readers = Promise.all(Array.from({ length: 4 }, reader));
    const { published, took } = await publishByTwenty('read', 100);
    isDone = true;
    await readers;
    expect(await flipsOf('read')).toBeLessThanOrEqual(took() / 250 + 10);
    expect(listed(await chartroom.readIndex('read')).toSorted()).toEqual(published);
    expect(published).toEqual(expect.arrayContaining([...seen]));
  });

  it('of 20 uploads of one version with different bytes one wins, and its bytes are served', async () => {
    const packages = await Promise.all(
      Array.from({ length: 20 }, (_, n) => aPackage({ description: `number ${n}` })),
    );
    const answers = await Promise.all(packages.map((bytes) => chartroom.publish(bytes, 'one')));
    const won = packages.filter((_, n) => answers[n]?.status === 201);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(19).fill(409)]);
    const digests = await expectNothingHalfMade(chartroom, 'one');
    expect(digests).toEqual(new Map([['1.0.0', sha256(won[0] ?? new Uint8Array())]]));
  });
});
