import { describe, expect, it } from 'vitest';
import type { VersionStore } from '../../shared/store/version-store.ts';
import { aChange, aPending, aProvenance, aRepository, aVersionId, now, removal } from './records.ts';
import { publish } from './versions-contract.ts';

const twenty = Array.from({ length: 20 }, (_, n) => n);
const fresh = { overwrite: false, now };

async function marksOf(store: VersionStore, repository: ReturnType<typeof aRepository>) {
  const marks = [];
  for await (const mark of store.marks(repository)) marks.push(mark);
  return marks;
}

/** What every version store promises to callers who come at once. */
export function versionRaces(open: () => VersionStore): void {
  describe('races', () => {
    it('lets one of 20 parallel reservations of a version win', async () => {
      const id = aVersionId();
      const rivals = twenty.map((n) => aPending(id, { content: `package ${n}` }));
      const answers = await Promise.all(rivals.map((pending) => open().reserve(id, pending, fresh)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect((await open().get(id))?.pending).toEqual(rivals[answers.indexOf(true)]);
    });

    it('lets one of 20 parallel reservations take over an expired one', async () => {
      const id = aVersionId();
      await open().reserve(id, aPending(id, { expires: now }), fresh);
      const rivals = twenty.map(() => aPending(id));
      const answers = await Promise.all(rivals.map((pending) => open().reserve(id, pending, fresh)));
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it('shows a version in the marks at every instant while its mark is replaced', async () => {
      const id = aVersionId();
      await publish(open(), id);
      let over = false;
      const overwriting = (async () => {
        for (let n = 0; n < 100; n += 1) await publish(open(), id, aPending(id, { content: `${n}` }));
        over = true;
      })();
      while (!over) expect(await marksOf(open(), id.repository)).toHaveLength(1);
      await overwriting;
    });

    it('tells one of 20 who commit the same reservation that it did', async () => {
      const id = aVersionId();
      const pending = aPending(id);
      await open().reserve(id, pending, fresh);
      const answers = await Promise.all(twenty.map(() => open().commit(id, pending)));
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect(await open().get(id)).toMatchObject({ live: { key: pending.key }, removed: false });
    });

    it('lets one of 20 parallel provenance files of a version win', async () => {
      const id = aVersionId();
      const rivals = twenty.map(() => aProvenance(id));
      const answers = await Promise.all(
        rivals.map((provenance) =>
          open().addProvenance(id, provenance, { overwrite: false, change: aChange() }),
        ),
      );
      expect(answers.filter(Boolean)).toHaveLength(1);
      expect((await open().get(id))?.provenance).toEqual(rivals[answers.indexOf(true)]);
    });

    it('tells one of 20 who remove a version that it did', async () => {
      const id = aVersionId();
      const { key } = await publish(open(), id);
      const answers = await Promise.all(twenty.map(() => open().remove(id, key, removal())));
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it('never lets a removal take a package that replaces the one it meant', async () => {
      const id = aVersionId();
      const { key } = await publish(open(), id);
      const next = aPending(id, { content: 'another package' });
      await open().reserve(id, next, { overwrite: true, now });
      await Promise.all([open().commit(id, next), ...twenty.map(() => open().remove(id, key, removal()))]);
      expect((await open().get(id))?.live?.key).toBe(next.key);
    });

    it('shows a mark to whoever reads after the commit was answered', async () => {
      const repository = aRepository();
      await Promise.all(
        twenty.map(async (n) => {
          const id = aVersionId({ repository, version: `${n}.0.0` });
          await publish(open(), id);
          expect(await marksOf(open(), repository)).toContainEqual(
            expect.objectContaining({ version: id.version }),
          );
        }),
      );
      expect(await marksOf(open(), repository)).toHaveLength(20);
    });

    it('never clears the mark of a state that came after the one that was read', async () => {
      await Promise.all(
        twenty.map(async () => {
          const id = aVersionId();
          const { key } = await publish(open(), id);
          const [mark] = await marksOf(open(), id.repository);
          if (mark === undefined) throw new Error('the commit left no mark');
          await Promise.all([open().indexed(mark), open().remove(id, key, removal()), open().indexed(mark)]);
          expect(await open().get(id)).toMatchObject({ removed: true, unindexed: expect.any(String) });
        }),
      );
    });

    it('never loses a reservation that meets the clearing of a tombstone', async () => {
      await Promise.all(
        twenty.map(async () => {
          const id = aVersionId();
          await open().remove(id, (await publish(open(), id)).key, removal());
          const [mark] = await marksOf(open(), id.repository);
          if (mark === undefined) throw new Error('the removal left no mark');
          const pending = aPending(id);
          const [reserved] = await Promise.all([open().reserve(id, pending, fresh), open().indexed(mark)]);
          expect(reserved).toBe(true);
          expect(await open().get(id)).toEqual({ ...id, pending, removed: false });
        }),
      );
    });
  });
}
