import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { GRACE_MS } from '../../shared/domain/leftovers.ts';
import { rebuildRequestKey } from '../../shared/domain/object-keys.ts';
import { listCharts, type Page } from '../../shared/list-charts.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import type { ObjectStore } from '../../shared/store/object-store.ts';
import type { Call } from '../store/hook.ts';
import { aWorld, root } from './world.ts';

type World = ReturnType<typeof aWorld>;

const whole: Page = { offset: 0, limit: undefined };
const nothing = () => false;

const list = (world: Pick<World, keyof Parameters<typeof listCharts>[0]>, page = whole) =>
  listCharts(world, root, page, nothing);

/** Names of the charts in a list that was answered inline. */
async function namesOf(answer: Promise<Awaited<ReturnType<typeof list>>>) {
  const found = await answer;
  return found.kind === 'inline' ? Object.keys(JSON.parse(found.text)) : found.kind;
}

const numbered = (number: number) => `chart-${String(number).padStart(4, '0')}`;

/** A world with this many charts of two versions each, in a current index. */
async function withCharts(count: number, options: Parameters<typeof aWorld>[0] = {}) {
  const world = aWorld(options);
  for (let number = 0; number < count; number += 1) {
    await world.publish(numbered(number), '1.0.0', `the chart ${number}`);
    await world.publish(numbered(number), '1.1.0');
  }
  await currentIndex(world, root, { rebuildAtMost: Number.POSITIVE_INFINITY });
  return world;
}

/** A world whose eight charts, `a` to `h`, have a megabyte of metadata each: six are more than an answer. */
async function withLargeCharts(options: Parameters<typeof aWorld>[0] = {}) {
  const world = aWorld(options);
  for (const name of 'abcdefgh') await world.publish(name, '1.0.0', 'x'.repeat(1_050_000));
  await currentIndex(world, root);
  return world;
}

/** The same objects, and every key and range that is read of them. */
function watched(objects: World['objects']) {
  const reads: { readonly file: string | undefined; readonly sizeBytes: number | 'all' }[] = [];
  const get: ObjectStore['get'] = (key, range) => {
    reads.push({ file: key.split('/').at(-1), sizeBytes: range?.sizeBytes ?? 'all' });
    return objects.get(key, range);
  };
  return { reads, objects: { ...objects, get } };
}

const listsIn = ({ objects }: World) =>
  [...objects.objects.keys()].filter((key) => /\/charts[^/]*\.json$/.test(key));

describe('a page of a repository with many charts', () => {
  it('reads no version, and of the index only the bytes that it shows', async () => {
    const calls: Call[] = [];
    const world = await withCharts(1_000, { hook: async (call) => void calls.push(call) });
    const { reads, objects } = watched(world.objects);
    calls.length = 0;
    const answer = await list({ ...world, objects }, { offset: 500, limit: 3 });
    const text = answer.kind === 'inline' ? answer.text : '';
    expect(Object.keys(JSON.parse(text))).toEqual([500, 501, 502].map(numbered));
    const operations = calls.flatMap((call) =>
      call.phase === 'before' ? [`${call.store}.${call.operation}`] : [],
    );
    expect(operations).toEqual(['versions.marks', 'pointers.get', 'objects.get', 'objects.get']);
    // Three charts of two versions have three line ends each in the index, and two more between them.
    const sizeBytes = text.length - '{}'.length + 3 * 3 + 2;
    expect(reads).toEqual([
      { file: 'ranges.json', sizeBytes: 'all' },
      { file: 'index.yaml', sizeBytes },
    ]);
  });

  it('reads nothing but the pointer for who has it already', async () => {
    const world = await withCharts(3);
    const { etag } = await list(world);
    const { reads, objects } = watched(world.objects);
    const answer = await listCharts({ ...world, objects }, root, whole, (tag) => tag === etag);
    expect([answer, reads]).toEqual([{ kind: 'known', etag }, []]);
  });

  it('reads nothing of the index where no chart is in it', async () => {
    const world = await withCharts(3);
    const { reads, objects } = watched(world.objects);
    expect(await namesOf(list({ ...world, objects }, { offset: 3, limit: 1 }))).toEqual([]);
    expect(reads.map(({ file }) => file)).toEqual(['ranges.json']);
  });

  it('has what was published and deleted just before', async () => {
    const world = await withCharts(2);
    await world.publish('a', '1.0.0');
    await world.remove(numbered(1), '1.0.0');
    await world.remove(numbered(1), '1.1.0');
    expect(await namesOf(list(world))).toEqual(['a', numbered(0)]);
  });

  it('has a tag of its own, and another one once something changed', async () => {
    const world = await withCharts(2);
    const pages: Page[] = [whole, { offset: 1, limit: undefined }, { offset: 0, limit: 1 }];
    const tags = async () => await Promise.all(pages.map(async (page) => (await list(world, page)).etag));
    const before = await tags();
    expect(await tags()).toEqual(before);
    await world.publish('a', '1.0.0');
    expect(new Set([...before, ...(await tags())]).size).toBe(2 * pages.length);
  });
});

describe('a list without its index', () => {
  it('comes from the next index where the one it was about to read is removed', async () => {
    const world = await withCharts(1);
    const { folder } = (await world.pointers.get(root)) ?? { folder: '' };
    const get: ObjectStore['get'] = async (key, range) => {
      if (key === `${folder}index.yaml` && world.objects.objects.has(key)) {
        await world.publish('a', '1.0.0');
        await refreshIndex(world, root, { rebuildAtMost: 10 });
        await world.objects.remove([key]);
      }
      return await world.objects.get(key, range);
    };
    expect(await namesOf(list({ ...world, objects: { ...world.objects, get } }))).toEqual(['a', numbered(0)]);
  });

  it.each([
    { what: 'a lost index', lose: 'index.yaml', put: undefined },
    { what: 'lost ranges', lose: 'ranges.json', put: undefined },
    { what: 'ranges that are no JSON', lose: 'ranges.json', put: 'x' },
    { what: 'ranges of another index', lose: 'ranges.json', put: '[["a",10,1]]' },
  ])('asks for a rebuild and says "try again" for $what', async ({ lose, put }) => {
    const world = await withCharts(2);
    const key = `${(await world.pointers.get(root))?.folder}${lose}`;
    if (put === undefined) await world.objects.remove([key]);
    else await world.objects.put(key, Buffer.from(put), { contentType: 'application/json' });
    await expect(list(world)).rejects.toMatchObject({ code: 'try_again', retryAfterSeconds: 5 });
    expect(world.objects.objects.has(rebuildRequestKey(root))).toBe(true);
  });
});

describe('a list that is larger than an answer', () => {
  it.each(['json', 'yaml'] as const)(
    'is put beside its index once, out of an index in %s',
    async (format) => {
      const puts: Call[] = [];
      const world = await withLargeCharts({
        settings: { format },
        hook: async (call) => void (call.operation === 'put' && puts.push(call)),
      });
      const { folder } = (await world.pointers.get(root)) ?? {};
      puts.length = 0;
      const answers = [await list(world), await list(world), await list(world, { offset: 0, limit: 99 })];
      expect(listsIn(world)).toEqual([`${folder}charts.json`]);
      expect(puts.map(({ phase }) => phase)).toEqual(['before', 'after']);
      const { bytes, contentType } = world.objects.objects.get(`${folder}charts.json`) ?? {};
      expect(contentType).toBe('application/json; charset=utf-8');
      expect(Object.keys(JSON.parse(Buffer.from(bytes ?? []).toString()))).toEqual([...'abcdefgh']);
      for (const answer of answers)
        expect(answer).toMatchObject({ kind: 'stored', sizeBytes: bytes?.length });
    },
  );

  it('is not read again once it is stored', async () => {
    const world = await withLargeCharts();
    await list(world);
    const { reads, objects } = watched(world.objects);
    await list({ ...world, objects });
    expect(reads.map(({ file }) => file)).toEqual(['ranges.json']);
  });

  it('is one where only the quotes and line ends of it are too many', async () => {
    const world = aWorld();
    for (const name of 'abc') await world.publish(name, '1.0.0', '"'.repeat(700_000));
    await currentIndex(world, root);
    const { sizeBytes } = (await world.pointers.get(root)) ?? {};
    expect(sizeBytes).toBeLessThan(5_000_000);
    expect(await list(world)).toMatchObject({ kind: 'stored' });
  });

  it('is stored by page, up to a number of pages, and the whole always', async () => {
    const world = await withLargeCharts();
    const folder = (await world.pointers.get(root))?.folder;
    await list(world, { offset: 1, limit: 6 });
    await list(world, { offset: 1, limit: undefined });
    expect(listsIn(world)).toEqual([`${folder}charts-1-6.json`, `${folder}charts-1-7.json`]);
    for (let number = 2; number < 32; number += 1) {
      await world.objects.put(`${folder}charts-x-${number}.json`, new Uint8Array(), { contentType: 'x' });
    }
    await expect(list(world, { offset: 2, limit: undefined })).rejects.toMatchObject({ code: 'too_large' });
    expect(listsIn(world)).toHaveLength(32);
    expect(await list(world, { offset: 1, limit: 6 })).toMatchObject({ kind: 'stored' });
    expect(await namesOf(list(world, { offset: 2, limit: 3 }))).toEqual(['c', 'd', 'e']);
    expect(await list(world)).toMatchObject({ kind: 'stored' });
  });

  it('is no index to reconciliation, and goes with its index', async () => {
    const world = await withLargeCharts();
    const found: string[] = [];
    const reconcile = () =>
      reconcileRepository(
        { ...world, found: ({ kind }) => void (kind.startsWith('index') && found.push(kind)) },
        root,
        'safe',
      );
    await list(world);
    await list(world, { offset: 1, limit: undefined });
    const lists = listsIn(world);
    await reconcile();
    expect(found).toEqual([]);
    world.clock.advance(1_000);
    await world.publish('i', '1.0.0');
    await list(world);
    world.clock.advance(GRACE_MS + 1);
    await reconcile();
    expect(found).toEqual(['index_superseded']);
    const folder = (await world.pointers.get(root))?.folder;
    expect(listsIn(world)).toEqual([`${folder}charts.json`]);
    expect(lists).not.toContain(`${folder}charts.json`);
    expect([...world.objects.objects.keys()].filter((key) => key.startsWith('index/'))).toHaveLength(3);
  });
});
