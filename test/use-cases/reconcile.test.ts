import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { deleteVersion } from '../../shared/delete.ts';
import { GRACE_MS } from '../../shared/domain/leftovers.ts';
import { filesKey } from '../../shared/domain/object-keys.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { Finding } from '../../shared/findings.ts';
import { publishPackage } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { type ReconcileDependencies, reconcile, reconcileRepository } from '../../shared/reconcile.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { now, somebody } from '../store/records.ts';
import { aWorld, listed, root, versionId } from './world.ts';

type World = ReturnType<typeof aWorld>;

const demo = versionId('demo', '1.0.0');
const forever = { until: Number.POSITIVE_INFINITY };

const aDay = 24 * 60 * 60 * 1000;

/** Publishes a real package. */
async function publish(world: World, chart: Parameters<typeof aPackage>[0] = {}, repository = root) {
  const bytes = await aPackage(chart);
  await publishPackage(world, { repository, package: bytes, overwrite: true, by: somebody });
  return bytes;
}

/** Reconciles the root repository. @returns what was found, with whether it was mended */
async function reconciled(world: World) {
  const findings: (Finding & { mended: boolean })[] = [];
  const found = (finding: Finding, mended: boolean) => void findings.push({ ...finding, mended });
  await reconcileRepository({ ...world, found }, root, 'safe');
  return findings;
}

const keysOf = (world: World) => [...world.objects.objects.keys()].sort();

/** A world with one published version and a current index, the second one. */
async function aSettledWorld() {
  const world = aWorld();
  await publish(world, { version: '0.9.0' });
  await currentIndex(world, root);
  await deleteVersion(world, versionId('demo', '0.9.0'), somebody);
  const bytes = await publish(world);
  await currentIndex(world, root);
  return { world, bytes, live: async () => (await world.versions.get(demo))?.live };
}

describe('reconciling a repository', () => {
  it('finds nothing where nothing is wrong, and counts', async () => {
    const { world, bytes } = await aSettledWorld();
    await publish(world, { version: '1.1.0' });
    await currentIndex(world, root);
    world.clock.advance(2 * GRACE_MS);
    const before = keysOf(world);
    const superseded = { kind: 'index_superseded', repository: root, mended: true };
    expect(await reconciled(world)).toEqual([
      { ...superseded, folder: expect.stringContaining('/1-') },
      { ...superseded, folder: expect.stringContaining('/2-') },
    ]);
    expect(await reconciled(world)).toEqual([]);
    const removed = before.filter((key) => !world.objects.objects.has(key));
    expect(removed.map((key) => key.replace(/-[^/-]+\//, '/'))).toEqual([
      'index/-/1-first/index.yaml',
      'index/-/1-first/ranges.json',
      'index/-/2/index.yaml',
      'index/-/2/ranges.json',
    ]);
    const { versions, sizeBytes } = (await world.repositories.counts(root)) ?? {};
    expect(versions).toBe(2);
    expect(sizeBytes).toBeGreaterThan(bytes.length);
  });

  it.each([
    { what: 'is there, by publishing the version', put: true, versions: ['demo 1.0.0', 'demo 1.1.0'] },
    { what: 'is not there, by giving it up', put: false, versions: ['demo 1.0.0'] },
  ])('ends an expired reservation whose package $what', async ({ put, versions }) => {
    const { world } = await aSettledWorld();
    const id = versionId('demo', '1.1.0');
    const pending = await world.reserve(id);
    if (put) await world.objects.put(pending.key, new Uint8Array(1), { contentType: 'x' });
    expect(await reconciled(world)).toEqual([]);
    world.clock.advance(60_001);
    const kinds = (await reconciled(world)).map(({ kind }) => kind);
    expect(kinds).toContain('reservation_expired');
    expect((await world.versions.get(id))?.pending).toBeUndefined();
    expect(listed(await world.published()).sort()).toEqual(versions);
  });

  it('tells how long a change has waited that no index shows, though none can be made', async () => {
    const { world } = await aSettledWorld();
    await world.publish('demo', '1.1.0');
    await world.publish('demo', '1.2.0');
    world.clock.advance(60_000);
    world.happenings.length = 0;
    const pointers = { ...world.pointers, flip: () => Promise.reject(new Error('no')) };
    await expect(reconciled({ ...world, pointers })).rejects.toThrow('no');
    const oldestMarkMs = world.clock.now() - now;
    expect(oldestMarkMs).toBeGreaterThanOrEqual(60_000);
    expect(world.happenings[0]).toEqual({ kind: 'marks_waiting', repository: root, oldestMarkMs });
    world.happenings.length = 0;
    await reconciled(world);
    await reconciled(world);
    const kinds = ['marks_waiting', 'measured', 'refreshed', 'measured'];
    expect(world.happenings.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('tells how large an index is that nobody changed, each day', async () => {
    const { world } = await aSettledWorld();
    world.happenings.length = 0;
    const sizeBytes = (await world.published())?.length;
    const told = { kind: 'measured', repository: root, sizeBytes, versions: 1 };
    for (let day = 0; day < 2; day += 1) {
      world.clock.advance(aDay);
      expect(await reconcile({ ...world, found: () => {} }, forever)).toBe(true);
    }
    expect(world.happenings).toEqual([told, told]);
  });

  it('tells nothing of a repository that has no index', async () => {
    const world = aWorld();
    await reconciled(world);
    expect(world.happenings).toEqual([]);
  });

  it('removes replaced packages after the grace, and nothing that is named', async () => {
    const { world, live } = await aSettledWorld();
    const old = (await live())?.key ?? '';
    await publish(world, { description: 'new' });
    await currentIndex(world, root);
    await reconciled(world);
    expect(keysOf(world)).toContain(old);
    world.clock.advance(GRACE_MS + 1);
    await reconciled(world);
    const now = (await live())?.key ?? '';
    expect(keysOf(world).filter((key) => !key.startsWith('index/'))).toEqual([now, filesKey(now)].sort());
  });

  it('removes what a delete that broke off left behind, though the chart is gone from the table', async () => {
    const { world } = await aSettledWorld();
    await publish(world, { name: 'other' });
    const objects = { remove: async () => Promise.reject(new Error('broken off')) };
    await expect(deleteVersion({ ...world, objects }, demo, somebody)).rejects.toThrow('broken off');
    await currentIndex(world, root);
    world.clock.advance(GRACE_MS + 1);
    await reconciled(world);
    expect(keysOf(world).filter((key) => key.includes('/demo/'))).toEqual([]);
    expect(keysOf(world).filter((key) => key.includes('/other/'))).toHaveLength(2);
  });

  it('publishes nothing that a dead upload put before the version was deleted', async () => {
    const { world } = await aSettledWorld();
    const versions = { ...world.versions, commit: async () => Promise.reject(new Error('died')) };
    const bytes = await aPackage({ description: 'new' });
    const upload = { repository: root, package: bytes, overwrite: true, by: somebody };
    await expect(publishPackage({ ...world, versions }, upload)).rejects.toThrow('died');
    world.clock.advance(120_000);
    await deleteVersion(world, demo, somebody);
    world.clock.advance(aDay);
    await reconciled(world);
    expect(listed(await world.published())).toEqual([]);
    expect(keysOf(world).filter((key) => !key.startsWith('index/'))).toEqual([]);
  });

  it('leaves alone what Chartroom did not put there', async () => {
    const { world } = await aSettledWorld();
    const keys = ['charts/-/demo/1.0.0/notes.txt', 'charts/-/README', 'charts/A B/-/x', 'index/-/why.txt'];
    for (const key of keys) await world.objects.put(key, new Uint8Array(1), { contentType: 'x' });
    world.clock.advance(GRACE_MS + 1);
    await reconciled(world);
    expect(keysOf(world)).toEqual(expect.arrayContaining(keys));
  });

  it('extracts chart files again that were lost', async () => {
    const { world, live } = await aSettledWorld();
    const key = filesKey((await live())?.key ?? '');
    const before = world.objects.objects.get(key)?.bytes;
    await world.objects.remove([key]);
    expect(await reconciled(world)).toMatchObject([{ kind: 'files_lost', mended: true }]);
    expect(world.objects.objects.get(key)?.bytes).toEqual(before);
  });

  it('names a package and a provenance file that were lost, and does not take them for healthy', async () => {
    const { world, bytes, live } = await aSettledWorld();
    await publishProvenance(world, {
      repository: root,
      provenance: aProvenance(bytes),
      overwrite: false,
      by: somebody,
    });
    const provenance = (await world.versions.get(demo))?.provenance?.key ?? '';
    await world.objects.remove([(await live())?.key ?? '', provenance]);
    expect(await reconciled(world)).toMatchObject([
      { kind: 'package_lost', name: 'demo', version: '1.0.0', mended: false },
      { kind: 'provenance_lost', name: 'demo', version: '1.0.0', mended: false },
    ]);
  });

  it('takes a package of another size for lost', async () => {
    const { world, live } = await aSettledWorld();
    const { key = '', digest } = (await live()) ?? {};
    await world.objects.put(key, new Uint8Array(), { contentType: 'x' });
    expect(await reconciled(world)).toMatchObject([{ kind: 'package_lost', key, mended: false }]);
    expect((await live())?.digest).toBe(digest);
  });

  it('goes on past chart files whose package cannot be read', async () => {
    const { world, live } = await aSettledWorld();
    await publish(world, { name: 'other' });
    const other = (await world.versions.get(versionId('other', '1.0.0')))?.live?.key ?? '';
    const { key = '', sizeBytes = 0 } = (await live()) ?? {};
    await world.objects.put(key, new Uint8Array(sizeBytes), { contentType: 'x' });
    await world.objects.remove([filesKey(key), filesKey(other)]);
    expect(await reconciled(world)).toMatchObject([
      { kind: 'files_lost', name: 'demo', mended: false },
      { kind: 'files_lost', name: 'other', mended: true },
    ]);
  });

  it.each([
    {
      what: 'the index lists something else',
      damage: async (world: World, folder: string) => {
        const text = (await world.published())?.replace('a chart', 'A CHART') ?? '';
        await world.objects.put(`${folder}index.yaml`, Buffer.from(text), { contentType: 'x' });
      },
      kind: 'index_differs',
    },
    {
      what: 'the index is lost',
      damage: (world: World, folder: string) => world.objects.remove([`${folder}index.yaml`]),
      kind: 'index_lost',
    },
    {
      what: 'the ranges are lost',
      damage: (world: World, folder: string) => world.objects.remove([`${folder}ranges.json`]),
      kind: 'index_lost',
    },
    {
      what: 'the ranges are garbage',
      damage: (world: World, folder: string) =>
        world.objects.put(`${folder}ranges.json`, Buffer.from('[{'), { contentType: 'x' }),
      kind: 'index_lost',
    },
    {
      what: 'the ranges are those of another index',
      damage: (world: World, folder: string) =>
        world.objects.put(`${folder}ranges.json`, Buffer.from('[["demo",7,1]]'), { contentType: 'x' }),
      kind: 'index_lost',
    },
    {
      what: 'the pointer is lost',
      damage: async (world: World) => world.pointers.lose(root),
      kind: 'pointer_lost',
    },
    {
      what: 'the pointer is lost, and every index',
      damage: async (world: World) => {
        world.pointers.lose(root);
        await world.objects.remove(keysOf(world).filter((key) => key.startsWith('index/')));
      },
      kind: 'pointer_lost',
      sequence: 1,
    },
  ])('builds the index anew where $what', async ({ damage, kind, sequence = 3 }) => {
    const { world } = await aSettledWorld();
    await damage(world, (await world.pointers.get(root))?.folder ?? '');
    expect((await reconciled(world)).map((finding) => finding.kind)).toContain(kind);
    const generated = new Date(world.clock.now()).toISOString().replace(/\.\d+/, '');
    expect(await world.published()).toBe(world.rebuilt(root, generated));
    expect((await world.pointers.get(root))?.sequence).toBe(sequence);
    expect(await reconciled(world)).toEqual([]);
  });

  it('does not take a change under way for damage', async () => {
    let step = 0;
    let change = async () => {};
    const world = aWorld({
      hook: async ({ phase }) => {
        if (phase === 'before') await change();
      },
    });
    await publish(world);
    await publish(world, { version: '0.9.0' });
    await currentIndex(world, root);
    let busy = false;
    // At each call of the inspection somebody publishes, overwrites or deletes, and somebody reads.
    change = async () => {
      if (busy || step > 40) return;
      busy = true;
      step += 1;
      await publish(world, { version: '1.0.0', description: `step ${step}` });
      if (step % 3 === 0) await deleteVersion(world, demo, somebody);
      await currentIndex(world, root);
      busy = false;
    };
    expect((await reconciled(world)).filter(({ kind }) => kind !== 'reservation_expired')).toEqual([]);
    expect(step).toBeGreaterThan(5);
  });

  it('does not take what was deleted meanwhile for lost, where an index became the first one', async () => {
    let meanwhile: (() => Promise<void>) | undefined;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        const change = phase === 'before' && operation === 'ofRepository' ? meanwhile : undefined;
        meanwhile = change === undefined ? meanwhile : undefined;
        await change?.();
      },
    });
    await publish(world);
    // An index was put, and nobody made it current yet.
    const pointers = { ...world.pointers, flip: async () => false };
    await refreshIndex({ ...world, pointers }, root, { rebuildAtMost: 10 });
    meanwhile = async () => {
      await currentIndex(world, root);
      await deleteVersion(world, demo, somebody);
      await currentIndex(world, root);
    };
    expect((await reconciled(world)).map(({ kind }) => kind)).not.toContain('version_lost');
    expect(meanwhile).toBeUndefined();
  });
});

describe('a table that lost versions', () => {
  it('has its index reported as shrunk, and the one before and the packages kept', async () => {
    const { world } = await aSettledWorld();
    await publish(world, { name: 'other' });
    await currentIndex(world, root);
    const before = (await world.pointers.get(root))?.folder;
    world.versions.lose(demo);
    await publish(world, { version: '2.0.0' });
    const pointer = await currentIndex(world, root);
    expect(world.notices).toEqual([
      { kind: 'index_shrank', repository: root, versions: 1, before, after: pointer?.folder },
    ]);
    for (let day = 0; day < 3; day += 1) {
      world.clock.advance(aDay);
      await publish(world, { name: 'other', description: `day ${day}` });
      await reconciled(world);
    }
    expect(keysOf(world)).toContain(`${before}index.yaml`);
    expect(keysOf(world).filter((key) => key.startsWith('charts/-/demo/1.0.0/'))).toHaveLength(1);
    expect(await reconciled(world)).toContainEqual(
      expect.objectContaining({ kind: 'version_lost', name: 'demo', version: '1.0.0', package: 'there' }),
    );
  });

  it('is not said of deletions', async () => {
    const { world } = await aSettledWorld();
    await publish(world, { version: '1.1.0' });
    await currentIndex(world, root);
    await deleteVersion(world, demo, somebody);
    await currentIndex(world, root);
    await deleteVersion(world, versionId('demo', '1.1.0'), somebody);
    await currentIndex(world, root);
    expect(listed(await world.published())).toEqual([]);
    expect(world.notices).toEqual([]);
  });
});

describe('reconciling all repositories', () => {
  const repositories = ['a', 'b', 'c'].map((name) => parseRepository([name]));

  async function aBusyWorld() {
    const world = aWorld();
    for (const repository of repositories) {
      for (const name of ['x', 'y', 'z']) await publish(world, { name }, repository);
    }
    const inspected: string[] = [];
    const dependencies: ReconcileDependencies = { ...world, found: () => {} };
    const versions = {
      ...world.versions,
      ofRepository: (...args: Parameters<typeof world.versions.ofRepository>) => {
        inspected.push(args.filter((each) => each !== undefined).join(' after '));
        return world.versions.ofRepository(...args);
      },
    };
    return { world, dependencies: { ...dependencies, versions }, inspected };
  }

  it('goes on where it stopped, chart by chart, and counts all of them', async () => {
    const { world, dependencies } = await aBusyWorld();
    let calls = 0;
    // Its time is always over: one chart a call.
    while (!(await reconcile(dependencies, { until: world.clock.now() }))) {
      calls += 1;
      expect(calls).toBeLessThan(30);
    }
    expect(calls).toBeGreaterThanOrEqual(9);
    for (const repository of repositories) {
      expect(await world.repositories.counts(repository)).toMatchObject({ versions: 3 });
      expect((await world.pointers.get(repository))?.versions).toBe(3);
    }
  });

  it.each([
    { what: 'nothing is wrong', damage: () => {}, queries: 0 },
    { what: 'the table lost every version', damage: (world: World) => world.versions.loseAll(), queries: 5 },
  ])('looks at no chart again that an earlier call has done, where $what', async ({ damage, queries }) => {
    const names = ['a', 'b-c', 'b', 'b.d', 'e'];
    const world = aWorld();
    for (const name of names) await publish(world, { name });
    await currentIndex(world, root);
    damage(world);
    const done: string[][] = [];
    const objects = {
      ...world.objects,
      list: (prefix: string) => {
        const [, name] = /^files\/-\/(.+)\/$/.exec(prefix) ?? [];
        if (name !== undefined) done.at(-1)?.push(name);
        return world.objects.list(prefix);
      },
    };
    const asked: string[] = [];
    const ofChart: World['versions']['ofChart'] = (repository, name) => {
      asked.push(name);
      return world.versions.ofChart(repository, name);
    };
    const versions = { ...world.versions, ofChart };
    const dependencies = { ...world, objects, versions, found: () => {} };
    let isDone = false;
    while (!isDone && done.length < 20) {
      done.push([]);
      isDone = await reconcile(dependencies, { until: world.clock.now() });
    }
    expect(done.flat()).toEqual(names.sort());
    expect(done.every((each) => each.length <= 1)).toBe(true);
    expect(asked).toEqual([...new Set(asked)]);
    expect(asked).toHaveLength(queries);
  });

  it('remembers where it stopped though the index cannot be made then', async () => {
    const { world, dependencies } = await aBusyWorld();
    const objects = { ...world.objects, put: async () => Promise.reject(new Error('no room')) };
    const call = reconcile({ ...dependencies, objects }, { until: world.clock.now() });
    await expect(call).rejects.toThrow('no room');
    expect(await world.repositories.progress()).toMatchObject({ current: { after: 'x' } });
  });

  it('does the others where one fails, and then says so', async () => {
    const { world, dependencies } = await aBusyWorld();
    const objects = {
      ...world.objects,
      folders: (prefix: string, end: string) => {
        if (prefix === 'charts/b/-/') throw new Error('b cannot be listed');
        return world.objects.folders(prefix, end);
      },
    };
    await expect(reconcile({ ...dependencies, objects }, forever)).rejects.toThrow('b cannot be listed');
    const counts = await Promise.all(repositories.map((each) => world.repositories.counts(each)));
    expect(counts.map((each) => each?.versions)).toEqual([3, undefined, 3]);
    expect(await world.repositories.progress()).toMatchObject({ phase: 'done' });
  });

  it('begins a pass a day after the one before', async () => {
    const { world, dependencies, inspected } = await aBusyWorld();
    expect(await reconcile(dependencies, forever)).toBe(true);
    inspected.length = 0;
    world.clock.advance(aDay - 60_000);
    expect(await reconcile(dependencies, forever)).toBe(true);
    expect(inspected).toEqual([]);
    expect(await reconcile(dependencies, { ...forever, now: true })).toBe(true);
    expect(inspected).toEqual(expect.arrayContaining(repositories));
    inspected.length = 0;
    world.clock.advance(aDay);
    await reconcile(dependencies, forever);
    expect(inspected).toEqual(expect.arrayContaining(repositories));
  });

  it('finds the repositories of which only the bucket knows', async () => {
    const { world } = await aBusyWorld();
    for (const repository of repositories) await currentIndex(world, repository);
    world.versions.loseAll();
    for (const repository of repositories) world.pointers.lose(repository);
    const found: Finding[] = [];
    await reconcile({ ...world, found: (finding) => void found.push(finding) }, forever);
    const lost = found.filter(({ kind }) => kind === 'version_lost');
    expect(lost.map(({ repository }) => repository)).toEqual(
      repositories.flatMap((repository) => [repository, repository, repository]),
    );
    world.clock.advance(2 * GRACE_MS);
    const before = keysOf(world).filter((key) => key.endsWith('.tgz'));
    await reconcile({ ...world, found: () => {} }, { ...forever, now: true });
    expect(keysOf(world).filter((key) => key.endsWith('.tgz'))).toEqual(before);
  });
});
