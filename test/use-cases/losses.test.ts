import { describe, expect, it } from 'vitest';
import { currentIndex } from '../../shared/current-index.ts';
import { deleteVersion } from '../../shared/delete.ts';
import { GRACE_MS } from '../../shared/domain/leftovers.ts';
import { byRepository, handleObjectEvents } from '../../shared/handle-object-events.ts';
import { publishPackage } from '../../shared/publish.ts';
import { publishProvenance } from '../../shared/publish-provenance.ts';
import { reconcileRepository } from '../../shared/reconcile.ts';
import { refreshIndex } from '../../shared/refresh.ts';
import { repair } from '../../shared/repair.ts';
import { aPackage, aProvenance } from '../packages.ts';
import { aChange, somebody } from '../store/records.ts';
import { aWorld, listed, root, versionId } from './world.ts';

type World = ReturnType<typeof aWorld>;

async function publish(world: World, chart: Parameters<typeof aPackage>[0]) {
  const bytes = await aPackage(chart);
  await publishPackage(world, { repository: root, package: bytes, overwrite: true, by: somebody });
  world.clock.advance(1_000);
  return bytes;
}

/** Publishes charts, and makes an index of them. */
async function index(world: World, ...names: readonly string[]) {
  for (const name of names) await publish(world, { name });
  return await currentIndex(world, root);
}

const lose = (world: World, ...names: readonly string[]) => {
  for (const name of names) world.versions.lose(versionId(name, '1.0.0'));
};

/** The pointer as it was earlier: what a table that is brought back from an earlier state has. */
async function setBack(world: World, pointer: Awaited<ReturnType<typeof index>>) {
  world.pointers.lose(root);
  if (pointer !== undefined) await world.pointers.flip(root, undefined, pointer);
}

/** Something to wait for until somebody opens it. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** A refresh that stands still before it makes its index current. */
async function slowRefresh(world: World) {
  const [arrival, departure] = [gate(), gate()];
  const flip: World['pointers']['flip'] = async (...flipping) => {
    arrival.open();
    await departure.opened;
    return await world.pointers.flip(...flipping);
  };
  const pointers = { ...world.pointers, flip };
  const refreshing = refreshIndex({ ...world, pointers }, root, { rebuildAtMost: 100 });
  await arrival.opened;
  return async () => {
    departure.open();
    return (await refreshing).kind;
  };
}

const otherSettings = (world: World): World => ({
  ...world,
  settings: { ...world.settings, chartUrl: 'https://charts.example.com' },
});

const lateEvent = { key: 'charts/-/zzz/1.0.0/x.tgz.prov', kind: 'removed' as const };
const handleLateEvent = (world: World) =>
  handleObjectEvents(world, root, byRepository([lateEvent]).get(root) ?? []);

async function reconciled(world: World) {
  world.clock.advance(2 * GRACE_MS);
  await reconcileRepository({ ...world, found: () => {} }, root, 'safe');
}

const packagesOf = (world: World) => [...world.objects.objects.keys()].filter((key) => key.endsWith('.tgz'));

async function lostNow(world: World) {
  const { findings } = await repair(world, { dryRun: true });
  return findings.flatMap((finding) => (finding.kind === 'version_lost' ? finding : []));
}

describe('a version that the table lost is named, kept and brought back', () => {
  it.each<{ what: string; lost: readonly string[]; happen: (world: World) => Promise<World | undefined> }>([
    {
      what: 'another was published since, so that the number is the same',
      lost: ['a'],
      happen: async (world) => {
        await index(world, 'a', 'b');
        lose(world, 'a');
        await publish(world, { name: 'c' });
      },
    },
    {
      what: 'one was published and deleted since, and the index is rendered with other settings',
      lost: ['a'],
      happen: async (world) => {
        await index(world, 'a', 'b');
        await publish(world, { name: 'c' });
        await deleteVersion(world, versionId('c', '1.0.0'), somebody);
        lose(world, 'a');
        await currentIndex(otherSettings(world), root);
        return otherSettings(world);
      },
    },
    {
      what: 'the settings changed, and nobody made an index with the new ones',
      lost: ['a'],
      happen: async (world) => {
        await index(world, 'a', 'b');
        lose(world, 'a');
        return otherSettings(world);
      },
    },
    {
      what: 'the ranges of the index are lost, and another was published',
      lost: ['a'],
      happen: async (world) => {
        const pointer = await index(world, 'a', 'b');
        lose(world, 'a');
        await publish(world, { name: 'c' });
        await world.objects.remove([`${pointer?.folder}ranges.json`]);
      },
    },
    {
      what: 'the table lost everything but the pointer',
      lost: ['a', 'b'],
      happen: async (world) => {
        await index(world, 'a', 'b');
        world.versions.loseAll();
      },
    },
    {
      what: 'the table lost everything, and as many were published since',
      lost: ['a'],
      happen: async (world) => {
        await index(world, 'b');
        await deleteVersion(world, versionId('b', '1.0.0'), somebody);
        await index(world, 'a');
        world.versions.loseAll();
        world.pointers.lose(root);
        await index(world, 'c');
      },
    },
    {
      what: 'the table lost everything after the first index of all, and another was published',
      lost: ['a', 'b'],
      happen: async (world) => {
        await index(world, 'a', 'b');
        world.versions.loseAll();
        world.pointers.lose(root);
        await index(world, 'c');
      },
    },
    {
      what: 'others were lost before it, one index after the other',
      lost: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
      happen: async (world) => {
        const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
        await index(world, ...names);
        lose(world, ...names);
        for (const name of names) {
          await publish(world, { name, version: '2.0.0' });
          await currentIndex(world, root);
        }
        await index(world, 'h');
      },
    },
    {
      what: 'the table was set back by one index, and an event comes late',
      lost: ['c'],
      happen: async (world) => {
        await index(world, 'a');
        const pointer = await index(world, 'b');
        await index(world, 'c');
        world.clock.advance(2 * GRACE_MS);
        lose(world, 'c');
        await setBack(world, pointer);
        await handleLateEvent(world);
      },
    },
    {
      what: 'the table was set back by two indexes, and two more were made',
      lost: ['c', 'd'],
      happen: async (world) => {
        await index(world, 'a');
        const pointer = await index(world, 'b');
        await index(world, 'c');
        await index(world, 'd');
        lose(world, 'c', 'd');
        await setBack(world, pointer);
        await index(world, 'e');
        await handleLateEvent(world);
        await index(world, 'f');
        await handleLateEvent(world);
      },
    },
    {
      what: 'the table was set back, and the index is built anew',
      lost: ['b'],
      happen: async (world) => {
        const pointer = await index(world, 'a');
        await index(world, 'b');
        lose(world, 'b');
        await setBack(world, pointer);
        await refreshIndex(world, root, { rebuildAtMost: 100, rebuild: true });
      },
    },
    {
      what: 'the table was set back to before it was overwritten',
      lost: ['a'],
      happen: async (world) => {
        const id = versionId('a', '1.0.0');
        await index(world, 'a');
        const pointer = await index(world, 'b');
        const earlier = await world.versions.get(id);
        await publish(world, { name: 'a', description: 'later' });
        await currentIndex(world, root);
        lose(world, 'a');
        if (earlier?.live) await world.versions.restore(id, earlier.live, { change: aChange() });
        await world.versions.indexed({ ...id, token: world.marks()[0]?.unindexed ?? '' });
        await setBack(world, pointer);
      },
    },
    {
      what: 'the pointer is lost after an index without it was made',
      lost: ['a'],
      happen: async (world) => {
        await index(world, 'a', 'b');
        lose(world, 'a');
        await publish(world, { name: 'a', version: '2.0.0' });
        await currentIndex(world, root);
        await index(world, 'c');
        world.pointers.lose(root);
        await index(world, 'd');
      },
    },
    {
      what: 'a provenance file was sent for it since',
      lost: ['a'],
      happen: async (world) => {
        const bytes = await publish(world, { name: 'a' });
        await publish(world, { name: 'a', version: '2.0.0' });
        await index(world, 'b');
        lose(world, 'a');
        const provenance = aProvenance(bytes, { name: 'a' });
        await publishProvenance(world, { repository: root, provenance, overwrite: false, by: somebody });
        await deleteVersion(world, versionId('a', '2.0.0'), somebody);
        await currentIndex(world, root);
      },
    },
  ])('though $what', async ({ lost, happen }) => {
    const before = aWorld();
    const world = (await happen(before)) ?? before;
    const packages = packagesOf(world);
    for (let day = 0; day < 3; day += 1) await reconciled(world);
    expect(packagesOf(world)).toEqual(packages);
    const told = await lostNow(world);
    expect(told.map(({ name }) => name)).toEqual(lost);
    expect(told.every((each) => each.package === 'there')).toBe(true);

    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: true });
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true });
    expect(listed(await world.published())).toEqual(
      expect.arrayContaining(lost.map((name) => `${name} 1.0.0`)),
    );
    for (const { name, version, digest, created } of told) {
      expect((await world.versions.get(versionId(name, version)))?.live).toMatchObject({ digest, created });
    }
    await reconciled(world);
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true });
  });
});

describe('a loss', () => {
  it('is not remembered of what was published and deleted again since', async () => {
    const world = aWorld();
    await index(world, 'a', 'b');
    lose(world, 'a');
    await publish(world, { name: 'a', version: '2.0.0' });
    await currentIndex(world, root);
    expect(await lostNow(world)).toMatchObject([{ name: 'a', version: '1.0.0' }]);
    await publish(world, { name: 'a', description: 'again' });
    await currentIndex(world, root);
    await deleteVersion(world, versionId('a', '1.0.0'), somebody);
    await currentIndex(world, root);
    expect(await lostNow(world)).toEqual([]);
    await repair(world, { dryRun: false });
    expect(listed(await world.published())).toEqual(['a 2.0.0', 'b 1.0.0']);
  });

  it('is told once more, and then forgotten by a repair, where the package is lost too', async () => {
    const world = aWorld();
    await index(world, 'a', 'b');
    await world.objects.remove([(await world.versions.get(versionId('a', '1.0.0')))?.live?.key ?? '']);
    lose(world, 'a');
    await index(world, 'c');
    await reconciled(world);
    expect(await lostNow(world)).toMatchObject([{ name: 'a', package: 'missing' }]);
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: false });
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true, findings: [] });
  });

  it('is remembered where its package cannot be read, and the others come back', async () => {
    const world = aWorld();
    await index(world, 'a', 'b', 'c');
    const key = (await world.versions.get(versionId('b', '1.0.0')))?.live?.key ?? '';
    const { bytes, metadata } = world.objects.objects.get(key) ?? { bytes: new Uint8Array(), metadata: {} };
    await world.objects.put(key, Buffer.from('garbage'), { contentType: 'x', metadata });
    world.versions.loseAll();
    world.pointers.lose(root);
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: false });
    expect(listed(await world.published())).toEqual(['a 1.0.0', 'c 1.0.0']);
    await reconciled(world);
    expect(await lostNow(world)).toMatchObject([{ name: 'b', package: 'there' }]);
    await world.objects.put(key, bytes, { contentType: 'x', metadata });
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: true });
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true });
  });
});

describe('a repair brings nothing back that was deleted', () => {
  it('though earlier the same bytes were published, and their package is still there', async () => {
    const world = aWorld();
    await publish(world, { name: 'a' });
    await publish(world, { name: 'a', version: '2.0.0' });
    await currentIndex(world, root);
    await publish(world, { name: 'a', version: '2.0.0' });
    await currentIndex(world, root);
    lose(world, 'a');
    await deleteVersion(world, versionId('a', '2.0.0'), somebody);
    await currentIndex(world, root);
    expect(await lostNow(world)).toMatchObject([{ name: 'a', version: '1.0.0' }]);
    await repair(world, { dryRun: false });
    expect(listed(await world.published())).toEqual(['a 1.0.0']);
  });

  it('not even where the table was lost before an index without it was made', async () => {
    const world = aWorld();
    await publish(world, { name: 'a' });
    await index(world, 'a', 'b');
    await deleteVersion(world, versionId('a', '1.0.0'), somebody);
    world.versions.loseAll();
    world.pointers.lose(root);
    await repair(world, { dryRun: false });
    expect(listed(await world.published())).toEqual(['b 1.0.0']);
  });

  it('after several built the index anew at once', async () => {
    const world = aWorld();
    const bytes = await publish(world, { name: 'x' });
    await currentIndex(world, root);
    await index(world, 'a');
    await publishPackage(world, { repository: root, package: bytes, overwrite: true, by: somebody });
    await currentIndex(world, root);
    world.pointers.lose(root);
    const rebuilds = [await slowRefresh(world), await slowRefresh(world), await slowRefresh(world)];
    const outcomes = [];
    for (const finish of rebuilds) outcomes.push(await finish());
    expect(outcomes).toEqual(['refreshed', 'overtaken', 'overtaken']);
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true });
    await deleteVersion(world, versionId('x', '1.0.0'), somebody);
    await currentIndex(world, root);
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: true });
    expect(listed(await world.published())).toEqual(['a 1.0.0']);
  });
});

describe('a version that not every index of the last sequence lists', () => {
  it.each([
    {
      what: 'the table lost everything',
      happen: async (world: World) => {
        world.versions.loseAll();
        world.pointers.lose(root);
      },
    },
    {
      what: 'the table lost versions and the pointer, and an index was made since',
      happen: async (world: World) => {
        lose(world, 'y');
        world.pointers.lose(root);
        await currentIndex(world, root);
      },
    },
  ])('is named and kept for a decision, where $what', async ({ happen }) => {
    const world = aWorld();
    await index(world, 'a');
    await publish(world, { name: 'x' });
    const finish = await slowRefresh(world);
    await index(world, 'y');
    expect(await finish()).toBe('overtaken');
    await happen(world);
    const packages = packagesOf(world);
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: false });
    expect(listed(await world.published())).toEqual(['a 1.0.0', 'x 1.0.0']);
    for (let day = 0; day < 3; day += 1) await reconciled(world);
    expect(packagesOf(world)).toEqual(packages);
    const [doubtful, ...others] = await lostNow(world);
    expect(doubtful).toMatchObject({ name: 'y', package: 'there', isDoubtful: true });
    expect(others).toEqual([]);
    // It was not deleted: somebody sends the package again.
    const bytes = world.objects.objects.get(doubtful?.keys[0] ?? '')?.bytes ?? new Uint8Array();
    await publishPackage(world, { repository: root, package: bytes, overwrite: false, by: somebody });
    await currentIndex(world, root);
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: true });
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true });
    expect(listed(await world.published())).toEqual(['a 1.0.0', 'x 1.0.0', 'y 1.0.0']);
  });
});

describe('a lost version with several provenance files', () => {
  it('is told with all of them, since nobody knows any more which one was refused', async () => {
    const world = aWorld();
    const bytes = await publish(world, { name: 'a' });
    await currentIndex(world, root);
    const provenance = aProvenance(bytes, { name: 'a' });
    await publishProvenance(world, { repository: root, provenance, overwrite: false, by: somebody });
    const { versions } = world;
    const late = { ...world, versions: { ...versions, get: async () => undefined } };
    const upload = { repository: root, provenance: Buffer.concat([provenance, Buffer.from('\n')]) };
    await expect(publishProvenance(late, { ...upload, overwrite: false, by: somebody })).rejects.toThrow(
      'try again',
    );
    versions.loseAll();
    const [lost] = await lostNow(world);
    expect(lost?.keys.filter((key) => key.endsWith('.prov'))).toHaveLength(2);
  });
});

describe('a repair of a table that was set back', () => {
  it.each([
    { when: 'before the index is built anew', at: 'flip' },
    { when: 'while indexes are removed', at: 'removeForGood' },
  ])('leaves the index that somebody makes current $when', async ({ at }) => {
    let meanwhile: (() => Promise<unknown>) | undefined;
    const world = aWorld({
      hook: async ({ operation, phase }) => {
        if (operation !== at || phase !== 'before') return;
        const finish = meanwhile;
        meanwhile = undefined;
        await finish?.();
      },
    });
    await index(world, 'a');
    const pointer = await index(world, 'b');
    await index(world, 'c');
    await index(world, 'd');
    lose(world, 'c', 'd');
    await world.objects.remove(packagesOf(world).filter((key) => /\/[cd]\//.test(key)));
    await setBack(world, pointer);
    await publish(world, { name: 'e' });
    meanwhile = await slowRefresh(world);
    expect(await repair(world, { dryRun: false })).toMatchObject({ healthy: false });
    expect(meanwhile).toBeUndefined();
    expect(listed(await world.published())).toEqual(['a 1.0.0', 'b 1.0.0', 'e 1.0.0']);
    expect(await repair(world, { dryRun: true })).toMatchObject({ healthy: true, findings: [] });
  });
});
