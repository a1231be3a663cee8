import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EventRecord } from '../../local/s3-events.ts';
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
  /** Twenty publishers, each with one upload after the other. @returns what they published */
  async function publishByTwenty(repository: string, uploads: number, round = 1) {
    const waiting = Array.from({ length: uploads }, (_, n) => ({
      name: `chart${n % 7}`,
      version: `${round}.${n % 20}.${n}`,
    }));
    const published = waiting.map(({ name, version }) => `${name} ${version}`).toSorted();
    const publisher = async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        expect((await chartroom.publish(await aPackage(next), repository)).status).toBe(201);
      }
    };
    await Promise.all(Array.from({ length: 20 }, publisher));
    return published;
  }

  const flipsOf = async (repository: string) =>
    (await chartroom.publishedIndex(repository))?.pointer.sequence ?? 0;

  /** Hands the events on as the queue does when they are many, a hundred at once, however fast they come. */
  function inFullBatches() {
    const held: EventRecord[] = [];
    const batches: Promise<unknown>[] = [];
    const handOn = () => {
      const bodies = held.splice(0, 100).map((record) => JSON.stringify({ Records: [record] }));
      const messages = bodies.map((body, n) => ({ messageId: `${batches.length}-${n}`, body }));
      batches.push(chartroom.invoke('index-repositories', { Records: messages }));
    };
    chartroom.deliver = (record) => {
      held.push(record);
      if (held.length === 100) handOn();
      return [];
    };
    return async () => {
      if (held.length > 0) handOn();
      for (const answer of await Promise.all(batches)) expect(answer).toEqual({ batchItemFailures: [] });
      return batches.length;
    };
  }

  it('of 200 uploads by 20 publishers all are in the index, once each, by a refresh a batch of events', async () => {
    const rest = inFullBatches();
    const published = await publishByTwenty('many', 200);
    const batches = await rest();
    expect(batches).toBeLessThanOrEqual(6);
    expect(await flipsOf('many')).toBeLessThanOrEqual(batches);
    const { index } = (await chartroom.publishedIndex('many')) ?? {};
    expect(index && listed(index).toSorted()).toEqual(published);
  });

  it('whoever reads at once after 20 were published shares a refresh', async () => {
    chartroom.deliver = () => [];
    const published: string[] = [];
    for (let round = 1; round <= 3; round += 1) {
      published.push(...(await publishByTwenty('rounds', 20, round)));
      const indexes = await Promise.all(Array.from({ length: 8 }, () => chartroom.readIndex('rounds')));
      for (const index of indexes) expect(listed(index).toSorted()).toEqual(published.toSorted());
      // A second one only where the first takes longer than its lease.
      expect(await flipsOf('rounds')).toBeLessThanOrEqual(2 * round);
    }
  });

  it('while others read all the time, all are listed, and nothing else', async () => {
    let isDone = false;
    const seen = new Set<string>();
    const reader = async () => {
      while (!isDone) for (const each of listed(await chartroom.readIndex('read'))) seen.add(each);
    };
    const readers = Promise.all(Array.from({ length: 4 }, reader));
    const published = await publishByTwenty('read', 60);
    isDone = true;
    await readers;
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
