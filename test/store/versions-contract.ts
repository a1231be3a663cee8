import { describe, expect, it } from 'vitest';
import { parseChartName } from '../../shared/domain/chart-name.ts';
import type { VersionId } from '../../shared/domain/object-keys.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { Mark, PendingPackage, VersionItem, VersionStore } from '../../shared/store/version-store.ts';
import { aChange, aPending, aProvenance, aRepository, aVersionId, now, removal } from './records.ts';

const fresh = { overwrite: false, now };
const overwriting = { overwrite: true, now };

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** What readers see of a reservation once it is committed. */
function packageOf({ digest, sizeBytes, entry, key, created }: PendingPackage) {
  return { digest, sizeBytes, entry, key, created };
}

export async function publish(store: VersionStore, id: VersionId, pending = aPending(id)) {
  expect(await store.reserve(id, pending, overwriting)).toBe(true);
  expect(await store.commit(id, pending)).toBe(true);
  return pending;
}

async function markOf(store: VersionStore, id: VersionId): Promise<Mark> {
  const mark = (await all(store.marks(id.repository))).find(
    ({ name, version }) => name === id.name && version === id.version,
  );
  if (mark === undefined) throw new Error(`${id.name} ${id.version} has no mark`);
  return mark;
}

/** What every version store promises, by example. */
export function versionsContract(open: () => VersionStore): void {
  describe('reserve', () => {
    it('claims a version that nobody knows', async () => {
      const id = aVersionId();
      const pending = aPending(id, { provenance: aProvenance(id) });
      expect(await open().reserve(id, pending, fresh)).toBe(true);
      expect(await open().get(id)).toEqual({ ...id, pending, removed: false });
      expect(await all(open().marks(id.repository))).toEqual([]);
    });

    it.each([
      { why: 'an unexpired reservation', expires: now + 1, rules: fresh, allowed: false },
      { why: 'an unexpired reservation, overwriting', expires: now + 1, rules: overwriting, allowed: false },
      { why: 'a reservation that expires this instant', expires: now, rules: fresh, allowed: true },
      { why: 'an expired reservation', expires: now - 1, rules: fresh, allowed: true },
      { why: 'an expired reservation, overwriting', expires: now - 1, rules: overwriting, allowed: true },
    ])('answers $allowed where there is $why', async ({ expires, rules, allowed }) => {
      const id = aVersionId();
      const [theirs, mine] = [aPending(id, { expires }), aPending(id)];
      await open().reserve(id, theirs, fresh);
      expect(await open().reserve(id, mine, rules)).toBe(allowed);
      expect((await open().get(id))?.pending).toEqual(allowed ? mine : theirs);
    });

    it('does not meet itself: the very same reservation again is true', async () => {
      const id = aVersionId();
      const mine = aPending(id);
      expect(await open().reserve(id, mine, fresh)).toBe(true);
      expect(await open().reserve(id, mine, fresh)).toBe(true);
    });

    it('is stopped by a live version, unless it may overwrite', async () => {
      const id = aVersionId();
      const live = packageOf(await publish(open(), id));
      const again = aPending(id, { content: 'another package' });
      expect(await open().reserve(id, again, fresh)).toBe(false);
      expect((await open().get(id))?.pending).toBeUndefined();
      expect(await open().reserve(id, again, overwriting)).toBe(true);
      expect(await open().get(id)).toMatchObject({ live, pending: again });
    });

    it('is not stopped by a tombstone', async () => {
      const id = aVersionId();
      await open().remove(id, (await publish(open(), id)).key, removal());
      expect(await open().reserve(id, aPending(id), fresh)).toBe(true);
    });

    it('is not stopped by a waiting provenance file', async () => {
      const id = aVersionId();
      await open().addProvenance(id, aProvenance(id), { overwrite: false, change: aChange() });
      expect(await open().reserve(id, aPending(id), fresh)).toBe(true);
    });
  });

  describe('commit', () => {
    it('makes the reserved package live and marks the version', async () => {
      const id = aVersionId();
      const pending = await publish(open(), id);
      const unindexed = expect.stringMatching(/./);
      const changes = [pending.change];
      const live = packageOf(pending);
      expect(await open().get(id)).toEqual({ ...id, live, changes, unindexed, removed: false });
      expect(await all(open().marks(id.repository))).toEqual([{ ...id, token: unindexed }]);
    });

    it('is false for a version that nobody reserved', async () => {
      const id = aVersionId();
      expect(await open().commit(id, aPending(id))).toBe(false);
      expect(await open().get(id)).toBeUndefined();
    });

    it('is false once the reservation was taken over, though the package is the same', async () => {
      const id = aVersionId();
      const [late, taker] = [aPending(id, { expires: now }), aPending(id)];
      await open().reserve(id, late, fresh);
      await open().reserve(id, taker, fresh);
      expect(await open().commit(id, late)).toBe(false);
      expect((await open().get(id))?.live).toBeUndefined();
      expect(await open().commit(id, taker)).toBe(true);
      expect((await open().get(id))?.live?.key).toBe(taker.key);
    });

    it('is false the second time', async () => {
      const id = aVersionId();
      const pending = await publish(open(), id);
      const before = await open().get(id);
      expect(await open().commit(id, pending)).toBe(false);
      expect(await open().get(id)).toEqual(before);
    });

    it('still holds after the reservation expired, as long as nobody took it over', async () => {
      const id = aVersionId();
      const late = aPending(id, { expires: now - 1_000 });
      await open().reserve(id, late, fresh);
      expect(await open().commit(id, late)).toBe(true);
    });

    it('brings the provenance file that came with the package', async () => {
      const id = aVersionId();
      const provenance = aProvenance(id);
      await open().addProvenance(id, aProvenance(id), { overwrite: false, change: aChange() });
      await publish(open(), id, aPending(id, { provenance }));
      expect((await open().get(id))?.provenance).toEqual(provenance);
    });

    it('leaves a waiting provenance file where none came with the package', async () => {
      const id = aVersionId();
      const waiting = aProvenance(id);
      await open().addProvenance(id, waiting, { overwrite: false, change: aChange() });
      await publish(open(), id);
      expect((await open().get(id))?.provenance).toEqual(waiting);
    });

    it('replaces the mark and the tombstone', async () => {
      const id = aVersionId();
      await open().remove(id, (await publish(open(), id)).key, removal());
      const { token } = await markOf(open(), id);
      await publish(open(), id);
      expect((await markOf(open(), id)).token).not.toBe(token);
      expect((await open().get(id))?.removed).toBe(false);
    });
  });

  describe('addProvenance', () => {
    const keep = { overwrite: false, change: aChange() };
    const replace = { overwrite: true, change: aChange() };

    it('lets a provenance file wait for its package', async () => {
      const id = aVersionId();
      const provenance = aProvenance(id);
      expect(await open().addProvenance(id, provenance, keep)).toBe(true);
      expect(await open().get(id)).toMatchObject({ provenance, removed: false });
      expect((await open().get(id))?.live).toBeUndefined();
    });

    it('joins a provenance file to its live package, and marks it, though no index speaks of it', async () => {
      const id = aVersionId();
      await publish(open(), id);
      await open().indexed(await markOf(open(), id));
      const provenance = aProvenance(id);
      expect(await open().addProvenance(id, provenance, keep)).toBe(true);
      expect((await open().get(id))?.provenance).toEqual(provenance);
      expect(await all(open().marks(id.repository))).toHaveLength(1);
    });

    it.each([keep, replace])('refuses one of another package than the live one (%o)', async (rules) => {
      const id = aVersionId();
      await publish(open(), id);
      expect(await open().addProvenance(id, aProvenance(id, 'another package'), rules)).toBe(false);
      expect((await open().get(id))?.provenance).toBeUndefined();
    });

    it.each([
      { where: 'waiting', published: false },
      { where: 'joined to the live package', published: true },
    ])(
      'refuses a second one of the same package while one is $where, unless it may overwrite',
      async ({ published }) => {
        const id = aVersionId();
        if (published) await publish(open(), id);
        const [first, second] = [aProvenance(id), aProvenance(id)];
        await open().addProvenance(id, first, keep);
        expect(await open().addProvenance(id, second, keep)).toBe(false);
        expect((await open().get(id))?.provenance).toEqual(first);
        expect(await open().addProvenance(id, second, replace)).toBe(true);
        expect((await open().get(id))?.provenance).toEqual(second);
      },
    );

    it('does not meet itself: the very same provenance file again is true', async () => {
      const id = aVersionId();
      const provenance = aProvenance(id);
      expect(await open().addProvenance(id, provenance, keep)).toBe(true);
      expect(await open().addProvenance(id, provenance, keep)).toBe(true);
    });

    it('replaces one that waits for another package', async () => {
      const id = aVersionId();
      await open().addProvenance(id, aProvenance(id, 'another package'), keep);
      const provenance = aProvenance(id);
      expect(await open().addProvenance(id, provenance, keep)).toBe(true);
      expect((await open().get(id))?.provenance).toEqual(provenance);
    });
  });

  describe('abandon', () => {
    it('forgets a version of which nothing else is known', async () => {
      const id = aVersionId();
      const pending = aPending(id);
      await open().reserve(id, pending, fresh);
      expect(await open().abandon(id, pending.key)).toBe(true);
      expect(await open().get(id)).toBeUndefined();
      expect(await open().abandon(id, pending.key)).toBe(false);
      expect(await open().commit(id, pending)).toBe(false);
    });

    it('leaves what is live, with its mark', async () => {
      const id = aVersionId();
      const { change, ...published } = await publish(open(), id);
      const live = packageOf({ change, ...published });
      const { token } = await markOf(open(), id);
      const pending = aPending(id, { content: 'another package' });
      await open().reserve(id, pending, overwriting);
      expect(await open().abandon(id, pending.key)).toBe(true);
      expect(await open().get(id)).toEqual({
        ...id,
        live,
        changes: [change],
        unindexed: token,
        removed: false,
      });
    });

    it('leaves a tombstone and a waiting provenance file', async () => {
      const [deleted, signed] = [aVersionId(), aVersionId()];
      await open().remove(deleted, (await publish(open(), deleted)).key, removal());
      const provenance = aProvenance(signed);
      await open().addProvenance(signed, provenance, { overwrite: false, change: aChange() });
      for (const id of [deleted, signed]) {
        const before = await open().get(id);
        const pending = aPending(id);
        await open().reserve(id, pending, fresh);
        expect(await open().abandon(id, pending.key)).toBe(true);
        expect(await open().get(id)).toEqual(before);
      }
    });

    it("leaves another's reservation", async () => {
      const id = aVersionId();
      const [theirs, mine] = [aPending(id), aPending(id, { expires: now })];
      await open().reserve(id, mine, fresh);
      await open().reserve(id, theirs, fresh);
      expect(await open().abandon(id, mine.key)).toBe(false);
      expect((await open().get(id))?.pending).toEqual(theirs);
    });
  });

  describe('restore', () => {
    it('brings back a version of which nothing is known, and marks it', async () => {
      const [bare, signed] = [aVersionId(), aVersionId()];
      const provenance = aProvenance(signed);
      const live = packageOf(aPending(bare));
      const change = aChange({ action: 'restored' });
      expect(await open().restore(bare, live, { change })).toBe(true);
      expect(await open().restore(signed, live, { provenance, change: aChange() })).toBe(true);
      const unindexed = (await markOf(open(), bare)).token;
      expect(await open().get(bare)).toEqual({ ...bare, live, changes: [change], unindexed, removed: false });
      expect(await open().get(signed)).toMatchObject({ live, provenance });
    });

    it.each([
      { what: 'live', make: (id: VersionId) => publish(open(), id) },
      { what: 'reserved', make: (id: VersionId) => open().reserve(id, aPending(id), fresh) },
      {
        what: 'deleted',
        make: async (id: VersionId) => open().remove(id, (await publish(open(), id)).key, removal()),
      },
    ])('changes nothing of a version that is $what', async ({ make }) => {
      const id = aVersionId();
      await make(id);
      const before = await open().get(id);
      const live = packageOf(aPending(id, { content: 'another' }));
      expect(await open().restore(id, live, { change: aChange() })).toBe(false);
      expect(await open().restore(id, live, { instead: live.key, change: aChange() })).toBe(false);
      expect(await open().get(id)).toEqual(before);
    });

    it('keeps a provenance file that waits for its package', async () => {
      const id = aVersionId();
      const provenance = aProvenance(id);
      const live = packageOf(aPending(id));
      await open().addProvenance(id, provenance, { overwrite: false, change: aChange() });
      expect(await open().restore(id, live, { change: aChange() })).toBe(true);
      expect(await open().get(id)).toMatchObject({ live, provenance });
    });

    it('takes the place of an earlier package, unless that changed since', async () => {
      const id = aVersionId();
      const { key: instead } = await publish(open(), id);
      const live = packageOf(aPending(id, { content: 'a later package' }));
      expect(await open().restore(id, live, { instead, change: aChange() })).toBe(false);
      const mark = await markOf(open(), id);
      await open().indexed(mark);
      expect(await open().restore(id, live, { instead: live.key, change: aChange() })).toBe(false);
      expect(await open().restore(id, live, { instead, change: aChange() })).toBe(true);
      expect((await open().get(id))?.live).toEqual(live);
      expect((await markOf(open(), id)).token).not.toBe(mark.token);
    });
  });

  describe('remove', () => {
    it('takes the package and its provenance file, and marks the version', async () => {
      const id = aVersionId();
      const { key } = await publish(open(), id, aPending(id, { provenance: aProvenance(id) }));
      const { token } = await markOf(open(), id);
      expect(await open().remove(id, key, removal())).toBe(true);
      const after = await markOf(open(), id);
      expect(after.token).not.toBe(token);
      expect(await open().get(id)).toEqual({
        ...id,
        changes: expect.any(Array),
        unindexed: after.token,
        removed: true,
      });
    });

    it('is false for a package that is not live any more', async () => {
      const id = aVersionId();
      const first = await publish(open(), id);
      await publish(open(), id, aPending(id, { content: 'another package' }));
      const before = await open().get(id);
      expect(await open().remove(id, first.key, removal())).toBe(false);
      expect(await open().get(id)).toEqual(before);
    });

    it('is false for a version that nobody knows, and makes none', async () => {
      const id = aVersionId();
      expect(await open().remove(id, aPending(id).key, removal())).toBe(false);
      expect(await open().get(id)).toBeUndefined();
    });

    it('leaves the reservation of an overwrite alone', async () => {
      const id = aVersionId();
      const { key } = await publish(open(), id);
      const next = aPending(id, { content: 'another package' });
      await open().reserve(id, next, overwriting);
      expect(await open().remove(id, key, removal())).toBe(true);
      expect((await open().get(id))?.pending).toEqual(next);
      expect(await open().commit(id, next)).toBe(true);
    });

    it('ends a reservation that has expired: its upload came before the delete', async () => {
      const id = aVersionId();
      const { key } = await publish(open(), id);
      const dead = aPending(id, { content: 'another package', expires: now });
      await open().reserve(id, dead, overwriting);
      expect(await open().remove(id, key, removal())).toBe(true);
      expect(await open().get(id)).toMatchObject({ removed: true, unindexed: expect.any(String) });
      expect((await open().get(id))?.pending).toBeUndefined();
      expect(await open().commit(id, dead)).toBe(false);
    });
  });

  describe('labels', () => {
    const rules = { most: 3 };
    const labelsOf = async (id: VersionId) => (await open().get(id))?.labels;

    it('are added and removed one by one, and mark nothing', async () => {
      const id = aVersionId();
      const { key } = await publish(open(), id);
      await open().indexed(await markOf(open(), id));
      const before = await open().get(id);
      for (const label of [30, 4]) expect(await open().addLabel(id, label, rules)).toBe(true);
      expect(await open().get(id)).toEqual({ ...before, labels: [4, 30] });
      expect(await all(open().ofChart(id.repository, id.name))).toEqual([{ ...before, labels: [4, 30] }]);
      expect(await all(open().marks(id.repository))).toEqual([]);
      for (const label of [4, 30]) expect(await open().removeLabel(id, label)).toBe(true);
      expect(await open().get(id)).toEqual(before);
      expect(before?.live?.key).toBe(key);
    });

    it('are there once, and at most so many', async () => {
      const id = aVersionId();
      await publish(open(), id);
      const added = await Promise.all([1, 2, 2, 3, 4].map((label) => open().addLabel(id, label, rules)));
      expect(added.filter(Boolean)).toHaveLength(3);
      expect(await labelsOf(id)).toHaveLength(3);
      const [label = 0] = (await labelsOf(id)) ?? [];
      expect(await open().removeLabel(id, label)).toBe(true);
      expect(await open().removeLabel(id, label)).toBe(false);
      expect(await open().addLabel(id, 5, rules)).toBe(true);
      expect(await open().addLabel(id, 6, rules)).toBe(false);
    });

    it('are for what is live alone, and make nothing', async () => {
      const [unknown, reserved, removed] = [aVersionId(), aVersionId(), aVersionId()];
      await open().reserve(reserved, aPending(reserved), fresh);
      await open().remove(removed, (await publish(open(), removed)).key, removal());
      for (const id of [unknown, reserved, removed]) {
        const before = await open().get(id);
        expect(await open().addLabel(id, 1, rules)).toBe(false);
        expect(await open().removeLabel(id, 1)).toBe(false);
        expect(await open().get(id)).toEqual(before);
      }
    });

    it('stay when the version is overwritten, signed, or brought back from an earlier state', async () => {
      const id = aVersionId();
      const { key: instead } = await publish(open(), id);
      await open().addLabel(id, 7, rules);
      await open().indexed(await markOf(open(), id));
      const change = aChange();
      const later = packageOf(aPending(id, { content: 'a later package' }));
      expect(await open().restore(id, later, { instead, change })).toBe(true);
      await publish(open(), id, aPending(id, { content: 'another package' }));
      const signature = aProvenance(id, 'another package');
      expect(await open().addProvenance(id, signature, { overwrite: false, change })).toBe(true);
      await open().indexed(await markOf(open(), id));
      expect(await labelsOf(id)).toEqual([7]);
    });

    it.each([
      { what: 'a version', expires: undefined },
      { what: 'one with a reservation that has expired', expires: now },
    ])('go with $what, keep no tombstone, and are not there when it comes again', async ({ expires }) => {
      const id = aVersionId();
      const { key } = await publish(open(), id);
      await open().addLabel(id, 7, rules);
      if (expires !== undefined) await open().reserve(id, aPending(id, { expires }), overwriting);
      await open().remove(id, key, removal());
      expect(await labelsOf(id)).toBeUndefined();
      await open().indexed(await markOf(open(), id));
      expect(await open().get(id)).toBeUndefined();
      await publish(open(), id);
      expect(await labelsOf(id)).toBeUndefined();
    });
  });

  describe('indexed', () => {
    it('clears the mark of a live version', async () => {
      const id = aVersionId();
      const pending = await publish(open(), id);
      await open().indexed(await markOf(open(), id));
      expect(await open().get(id)).toEqual({ ...id, live: packageOf(pending), removed: false });
      expect(await all(open().marks(id.repository))).toEqual([]);
    });

    it('deletes a bare tombstone', async () => {
      const id = aVersionId();
      await open().remove(id, (await publish(open(), id)).key, removal());
      await open().indexed(await markOf(open(), id));
      expect(await open().get(id)).toBeUndefined();
      expect(await all(open().ofRepository(id.repository))).toEqual([]);
    });

    it.each<{ what: string; join: (id: VersionId) => Promise<Partial<VersionItem>> }>([
      {
        what: 'a reservation',
        join: async (id) => {
          const pending = aPending(id);
          await open().reserve(id, pending, fresh);
          return { pending };
        },
      },
      {
        what: 'a waiting provenance file',
        join: async (id) => {
          const provenance = aProvenance(id);
          await open().addProvenance(id, provenance, { overwrite: false, change: aChange() });
          return { provenance };
        },
      },
    ])('keeps $what beside a tombstone, which goes', async ({ join }) => {
      const id = aVersionId();
      await open().remove(id, (await publish(open(), id)).key, removal());
      const rest = await join(id);
      await open().indexed(await markOf(open(), id));
      expect(await open().get(id)).toEqual({ ...id, ...rest, removed: false });
      expect(await all(open().marks(id.repository))).toEqual([]);
    });

    it.each([
      { what: 'a live version', change: async (id: VersionId) => void (await publish(open(), id)) },
      {
        what: 'a tombstone',
        change: async (id: VersionId) =>
          void (await open().remove(id, (await publish(open(), id)).key, removal())),
      },
    ])('does nothing to $what whose mark was replaced', async ({ change }) => {
      const id = aVersionId();
      await publish(open(), id);
      const old = await markOf(open(), id);
      await change(id);
      const before = await open().get(id);
      await open().indexed(old);
      expect(await open().get(id)).toEqual(before);
      await open().indexed({ ...old, token: 'never given' });
      expect(await open().get(id)).toEqual(before);
    });

    it('does nothing for a version that nobody knows, and makes none', async () => {
      const id = aVersionId();
      await open().indexed({ ...id, token: 'never given' });
      expect(await open().get(id)).toBeUndefined();
    });

    it('does nothing the second time', async () => {
      const id = aVersionId();
      await publish(open(), id);
      const mark = await markOf(open(), id);
      await open().indexed(mark);
      const before = await open().get(id);
      await open().indexed(mark);
      expect(await open().get(id)).toEqual(before);
    });
  });

  describe('lists', () => {
    it('yield the items of a chart, and of no chart whose name begins alike', async () => {
      const repository = aRepository();
      const names = ['a', 'a-b', 'a.b', 'aa', 'A', 'b'];
      for (const name of names) await publish(open(), aVersionId({ repository, name }));
      const mine = await all(open().ofChart(repository, parseChartName('a')));
      expect(mine.map(({ name }) => name)).toEqual(['a']);
    });

    it('yield charts in ascending order of name, the versions of each side by side', async () => {
      const repository = aRepository();
      for (const version of ['1.0.0', '1.0.0-rc.1', '10.0.0', '2.0.0+build.5']) {
        for (const name of ['b', 'a', 'a-b', 'a.b', 'a_b', 'aB', 'A', '0']) {
          await publish(open(), aVersionId({ repository, name, version }));
        }
      }
      const names = (await all(open().ofRepository(repository))).map(({ name }) => name);
      expect(names).toHaveLength(32);
      expect(names).toEqual([...names].sort());
      const [after = ''] = names.slice(15);
      const rest = await all(open().ofRepository(repository, parseChartName(after)));
      expect(rest.map(({ name }) => name)).toEqual(names.filter((name) => name > after));
    });

    it('yield reservations, tombstones and waiting provenance files too', async () => {
      const repository = aRepository();
      const reserved = aVersionId({ repository, version: '1.0.0' });
      const removed = aVersionId({ repository, version: '2.0.0' });
      const waiting = aVersionId({ repository, version: '3.0.0' });
      await open().reserve(reserved, aPending(reserved), fresh);
      await open().remove(removed, (await publish(open(), removed)).key, removal());
      await open().addProvenance(waiting, aProvenance(waiting), { overwrite: false, change: aChange() });
      expect(await all(open().ofChart(repository, reserved.name))).toEqual(
        await Promise.all([reserved, removed, waiting].map((id) => open().get(id))),
      );
    });

    it.each(['__proto__', 'constructor', 'toString', '0', '-', '_', '.a', 'A'.repeat(250)])(
      'know a chart called %s',
      async (name) => {
        const id = aVersionId({ name, version: '1.2.3-rc.1+build.5' });
        const pending = await publish(open(), id);
        expect(await open().get(id)).toMatchObject({ ...id, live: packageOf(pending) });
        expect(await all(open().ofChart(id.repository, id.name))).toMatchObject([id]);
        expect(await all(open().marks(id.repository))).toMatchObject([id]);
      },
    );

    it('tell versions apart that differ in build metadata or letter case alone', async () => {
      const repository = aRepository();
      const ids = ['1.0.0', '1.0.0+a', '1.0.0+A', '1.0.0-a'].map((version) =>
        aVersionId({ repository, version }),
      );
      for (const id of ids) await publish(open(), id);
      expect(await all(open().ofRepository(repository))).toHaveLength(ids.length);
    });

    it('keep repositories apart at every depth', async () => {
      const own = aRepository();
      const paths = [[], [own], [own, 'b'], [own, 'b', 'c'], [`${own}b`], [`${own}.b`]];
      // The root repository is shared with other tests, so the chart's name is this test's own.
      const ids = paths.map((path) => aVersionId({ repository: parseRepository(path), name: own }));
      for (const id of ids) await publish(open(), id, aPending(id, { content: id.repository }));
      for (const id of ids) {
        const listed = await all(open().ofChart(id.repository, id.name));
        expect(listed.map(({ repository, live }) => ({ repository, digest: live?.digest }))).toEqual([
          { repository: id.repository, digest: aPending(id, { content: id.repository }).digest },
        ]);
        const marks = (await all(open().marks(id.repository))).filter(({ name }) => name === id.name);
        expect(marks).toMatchObject([id]);
      }
    });

    it('go on past a page: DynamoDB ends one at 1 MB', async () => {
      const repository = aRepository();
      const entry = JSON.stringify({ description: 'x'.repeat(100_000) });
      const ids = Array.from({ length: 25 }, (_, n) => aVersionId({ repository, version: `${n}.0.0` }));
      await Promise.all(ids.map((id) => publish(open(), id, aPending(id, { entry }))));
      const listed = await all(open().ofChart(repository, parseChartName('redis')));
      expect(new Set(listed.map(({ version }) => version))).toEqual(
        new Set(ids.map(({ version }) => version)),
      );
      expect(listed.every(({ live }) => live?.entry === entry)).toBe(true);
      expect(await all(open().ofRepository(repository))).toHaveLength(ids.length);
      expect(await all(open().marks(repository))).toHaveLength(ids.length);
    });

    it('of marks have an order that replacing a mark does not change, so that none is overlooked', async () => {
      const repository = aRepository();
      const ids = ['f', 'b', 'e', 'a', 'd', 'c'].map((name) => aVersionId({ repository, name }));
      const publishAll = () => Promise.all(ids.map((id) => publish(open(), id)));
      await publishAll();
      const names: string[] = [];
      for await (const { name } of open().marks(repository)) {
        names.push(name);
        if (names.length === 20) break; // where an order changes, the list never ends
        await publishAll();
      }
      // One that was read may come again with its new token.
      expect([...new Set(names)]).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    });

    it('are empty for a repository that nobody knows', async () => {
      const repository = aRepository();
      expect(await all(open().ofRepository(repository))).toEqual([]);
      expect(await all(open().ofChart(repository, parseChartName('redis')))).toEqual([]);
      expect(await all(open().marks(repository))).toEqual([]);
    });
  });
}
