import type { SQSEvent } from 'aws-lambda';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { indexRepositories } from '../../functions/index-repositories.ts';
import { currentIndex } from '../../shared/current-index.ts';
import { canaryRepository } from '../../shared/domain/canary.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import { record } from '../../shared/edge/record.ts';
import { reportFinding, reportHappening, reportNotice } from '../../shared/edge/report.ts';
import { inRun } from '../../shared/edge/run.ts';
import type { Happening } from '../../shared/happening.ts';
import { type Metric, metricNamespace, metrics } from '../../shared/metrics.ts';
import type { Notice } from '../../shared/refresh.ts';
import { aChartroom, adminPassword, basic } from '../functions/chartroom.ts';
import { metricValues, watchLog } from '../log-lines.ts';
import { aPackage } from '../packages.ts';
import { aWorld, root } from '../use-cases/world.ts';

const org = parseRepository(['org']);

let log: ReturnType<typeof watchLog>;
beforeEach(() => {
  log = watchLog();
});
afterEach(() => vi.restoreAllMocks());

const namesOf = () => log.lines().flatMap((line) => metricValues(line).map(({ name }) => name));

const notices: Record<Notice['kind'], Notice> = {
  index_shrank: { kind: 'index_shrank', repository: org, versions: 1, before: 'a/', after: 'b/' },
  pointer_lost: { kind: 'pointer_lost', repository: org, folder: 'a/' },
  rebuild_put_off: { kind: 'rebuild_put_off', repository: org },
  clean_up_failed: { kind: 'clean_up_failed', repository: org, error: new Error('no') },
};

/** What another part of Chartroom counts: the canary. */
const OTHERS: readonly Metric[] = ['CanarySucceeded', 'CanaryPublish'];

/** The event of a queue about a key. */
const queueEvent = (key: string, eventTime: string, receiveCount = '1') => {
  const body = JSON.stringify({
    Records: [{ eventName: 'ObjectCreated:Put', eventTime, s3: { object: { key } } }],
  });
  const attributes = { ApproximateReceiveCount: receiveCount };
  return { Records: [{ messageId: 'm', body, attributes }] } as unknown as SQSEvent;
};

describe('every metric', () => {
  it('is written by something that happens', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const admin = { headers: basic('admin', adminPassword) };
    await chartroom.send('POST', '/api/charts', { ...admin, body: await aPackage() });
    await chartroom.send('POST', '/api/charts', { ...admin, body: 'no package' });
    await chartroom.send('GET', '/index.yaml');
    await chartroom.send('GET', '/index.yaml', { headers: basic('admin', 'wrong') });
    const world = { ...aWorld(), observe: reportHappening };
    const { key } = await world.publish('demo', '1.0.0');
    await indexRepositories(world)(queueEvent(key, '2026-01-02T03:04:00.000Z'));
    const pointers = { ...world.pointers, get: () => Promise.reject(new Error('no')) };
    await indexRepositories({ ...world, pointers })(queueEvent(key, '2026-01-02T03:04:00.000Z', '2'));
    for (const notice of Object.values(notices)) reportNotice(notice);
    for (const mended of [true, false]) {
      reportFinding({ kind: 'index_lost', repository: org, folder: 'a/' }, mended);
    }
    const all = Object.keys(metrics).filter((name) => !OTHERS.includes(name as Metric));
    expect(new Set(namesOf())).toEqual(new Set(all));
  });

  it('is of the deployment alone, and its line says of which repository', () => {
    record('OldestMark', 0, { repository: root });
    const [line, ...more] = log.lines();
    expect(more).toEqual([]);
    expect(line).toMatchObject({ level: 'INFO', repository: '(root)', service: expect.any(String) });
    expect(line && metricValues(line)).toEqual([
      {
        namespace: metricNamespace,
        name: 'OldestMark',
        unit: 'Seconds',
        value: 0,
        dimensions: [{ service: line?.['service'] }],
      },
    ]);
  });
});

describe('wrong passwords', () => {
  it('of one job in a loop are counted until it is refused, and stay below the alarm', async () => {
    const chartroom = aChartroom({ access: 'closed' });
    const wrong = { headers: basic('admin', 'wrong') };
    for (let each = 0; each < 60; each += 1) await chartroom.send('GET', '/index.yaml', wrong);
    const names = namesOf();
    expect(names.filter((name) => name === 'BadCredentials')).toHaveLength(20);
    expect(names.filter((name) => name === 'Denied')).toHaveLength(40);
  });
});

describe('the lag of events', () => {
  const lags = () => log.lines().flatMap((line) => line['EventLag'] ?? []);

  it('is that of the oldest one', async () => {
    const world = aWorld();
    const { key } = await world.publish('demo', '1.0.0');
    const [late, later] = ['2026-01-02T03:04:01.678Z', '2026-01-02T03:03:05.678Z'].map((at) =>
      queueEvent(key, at),
    );
    await indexRepositories(world)({ Records: [late, later].flatMap((event) => event?.Records ?? []) });
    expect(lags()).toEqual([60]);
  });

  it.each([
    { why: 'a clock ahead', event: queueEvent('charts/-/a/1/b.tgz', '2026-01-02T03:05:00Z'), told: [0] },
    {
      why: 'a message that came before',
      event: queueEvent('charts/-/a/1/b.tgz', '2026-01-02T03:00:00Z', '2'),
      told: [],
    },
    { why: 'no time', event: queueEvent('charts/-/a/1/b.tgz', ''), told: [] },
  ])('with $why is $told', async ({ event, told }) => {
    await indexRepositories(aWorld())(event);
    expect(lags()).toEqual(told);
  });
});

describe("the canary's own repository", () => {
  const refreshed = (oldestMarkMs: number | undefined) => ({
    ...{ kind: 'refreshed', repository: canaryRepository, sequence: 1, sizeBytes: 1, versions: 1 },
    ...{ marks: 1, durationMs: 1, oldestMarkMs, collectionGigabytes: 1, requestIds: [] },
  });
  const valuesOf = () =>
    log.lines().flatMap((line) => metricValues(line).map(({ name, value }) => [name, value]));

  it.each([undefined, 2_000])('is not counted where a change waited for %s ms', (oldestMarkMs) => {
    reportHappening(refreshed(oldestMarkMs) as Happening);
    expect(log.lines()).toMatchObject([{ repository: 'chartroom-canary', marks: 1 }]);
    expect(valuesOf()).toEqual([]);
  });

  it('tells of a change that waited, so that an indexer at rest is seen where nobody else publishes', () => {
    reportHappening(refreshed(900_000) as Happening);
    reportHappening({ kind: 'marks_waiting', repository: canaryRepository, oldestMarkMs: 1_000 });
    expect(valuesOf()).toEqual([
      ['OldestMark', 900],
      ['OldestMark', 1],
    ]);
  });

  it('tells of no lag but of a failure', async () => {
    const world = aWorld();
    const failing = { ...world, pointers: { ...world.pointers, get: () => Promise.reject(new Error('no')) } };
    const key = 'charts/chartroom-canary/-/canary/1/b.tgz';
    await indexRepositories(failing)(queueEvent(key, '2026-01-02T03:04:00.000Z'));
    expect(namesOf()).toEqual(['RefreshFailed']);
  });
});

describe('an index that is made current', () => {
  it('tells how long the oldest change waited, and of whose requests', async () => {
    const world = aWorld();
    await world.publish('demo', '1.0.0');
    world.clock.advance(60_000);
    await currentIndex(world, root);
    expect(world.happenings).toEqual([
      {
        kind: 'refreshed',
        repository: root,
        sequence: 1,
        sizeBytes: (await world.published())?.length,
        versions: 1,
        marks: 1,
        durationMs: 0,
        oldestMarkMs: 60_000,
        requestIds: ['request-1'],
        collectionGigabytes: 1,
      },
    ]);
  });

  it('tells of nothing that waited where none did', async () => {
    const world = aWorld();
    await world.publish('demo', '1.0.0');
    await currentIndex(world, root);
    await currentIndex({ ...world, settings: { ...world.settings, format: 'yaml' } }, root);
    expect(world.happenings).toMatchObject([{ versions: 1 }, { oldestMarkMs: undefined, requestIds: [] }]);
  });

  it('names some of very many requests', () => {
    const requestIds = Array.from({ length: 60 }, (_, n) => `r${n}`);
    const refreshed = {
      kind: 'refreshed',
      repository: org,
      sequence: 1,
      sizeBytes: 1,
      versions: 60,
    } as const;
    const more = { marks: 60, durationMs: 1, oldestMarkMs: 1, collectionGigabytes: undefined };
    reportHappening({ ...refreshed, ...more, requestIds });
    expect(log.lines()[0]).toMatchObject({
      requestIds: requestIds.slice(0, 50),
      marks: 60,
      OldestMark: 0.001,
    });
  });
});

it('all lines of a run have its fields, and no other has them', async () => {
  const told = (id: string) =>
    inRun({ requestId: id }, async () => {
      await Promise.resolve();
      record('Refreshed', 1, { chart: id });
    });
  await Promise.all([told('a'), told('b')]);
  record('Refreshed', 1, { chart: 'none' });
  expect(log.lines().map(({ requestId, chart }) => [requestId, chart])).toEqual([
    ['a', 'a'],
    ['b', 'b'],
    [undefined, 'none'],
  ]);
});
