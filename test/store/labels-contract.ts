import { randomInt, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import { type Label, MOST_ID } from '../../shared/domain/label.ts';
import { parseRepository } from '../../shared/domain/repository.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import type { LabelStore } from '../../shared/store/label-store.ts';
import { anAccessChange, aRepository } from './records.ts';

const aLabel = (parts: Partial<Label> = {}): Label => ({
  id: randomInt(1, MOST_ID),
  name: `a # "name" é ${randomUUID()}`,
  description: 'what it is for',
  color: '#00ff00',
  created: '2026-01-02T03:04:05.678Z',
  updated: '2026-01-02T03:04:05.678Z',
  revision: randomUUID(),
  ...parts,
});

const changed = (label: Label, parts: Partial<Label> = {}): Label => ({
  ...label,
  revision: randomUUID(),
  ...parts,
});

/** What every label store promises. */
export function labelsContract(open: () => { labels: LabelStore; audit: AuditStore }): void {
  const put = (label: Label, replaces?: Label) => open().labels.put(label, replaces, anAccessChange());
  const get = (label: Label) => open().labels.get(label.id);

  describe('labels', () => {
    it('are undefined where there is none', async () => {
      expect(await get(aLabel())).toBeUndefined();
    });

    it.each([
      { what: "everybody's", label: aLabel() },
      { what: "a project's", label: aLabel({ project: aRepository() }) },
    ])('come back as they were put, by id and among those of their project: $what', async ({ label }) => {
      expect(await put(label)).toBe(true);
      expect(await get(label)).toEqual(label);
      expect(await collect(open().labels.in(label.project))).toContainEqual(label);
    });

    it('are listed by whose they are, whatever they and the projects are called', async () => {
      const project = aRepository();
      const beside = (text: string) => parseRepository([`${project}${text}`]);
      const mine = ['a', '#', '~', '~~', '￿', '#a#', '*'].map((name) => aLabel({ project, name }));
      const others = [
        aLabel(),
        ...['a', '-', '.a', '0', '_', 'a-b'].map((text) => aLabel({ project: beside(text) })),
        aLabel({ project: parseRepository([project, 'a']) }),
      ];
      for (const label of [...mine, ...others]) expect(await put(label)).toBe(true);
      const listed = await collect(open().labels.in(project));
      expect(listed.toSorted((a, b) => a.id - b.id)).toEqual(mine.toSorted((a, b) => a.id - b.id));
      const everybodys = await collect(open().labels.in(undefined));
      expect(everybodys).toContainEqual(others[0]);
      expect(everybodys.filter((label) => label.project !== undefined)).toEqual([]);
      expect(await collect(open().labels.in(parseRepository([])))).toEqual([]);
    });

    it('are listed as they were changed, and not once they are removed', async () => {
      const project = aRepository();
      const first = aLabel({ project });
      await put(first);
      const recoloured = changed(first, { color: '#0000ff' });
      await put(recoloured, first);
      expect(await collect(open().labels.in(project))).toEqual([recoloured]);
      const renamed = changed(recoloured, { name: randomUUID() });
      await put(renamed, recoloured);
      expect(await collect(open().labels.in(project))).toEqual([renamed]);
      await open().labels.remove(renamed, anAccessChange());
      expect(await collect(open().labels.in(project))).toEqual([]);
    });

    it('are replaced by who saw them as they are, and by nobody else', async () => {
      const first = aLabel();
      await put(first);
      const second = changed(first, { color: '#0000ff' });
      expect(await put(second)).toBe(false);
      expect(await put(second, changed(first))).toBe(false);
      expect(await get(first)).toEqual(first);
      expect(await put(second, first)).toBe(true);
      expect(await get(first)).toEqual(second);
      expect(await put(changed(first), first)).toBe(false);
    });

    it('take the same write twice, as when its answer was lost', async () => {
      const first = aLabel();
      const second = changed(first, { name: randomUUID() });
      for (const _ of ['first', 'again']) expect(await put(first)).toBe(true);
      for (const _ of ['first', 'again']) expect(await put(second, first)).toBe(true);
    });

    it("leave a name alone that is another's by now, when a write comes twice", async () => {
      const project = aRepository();
      const first = aLabel({ project });
      const renamed = changed(first, { name: randomUUID() });
      await put(first);
      await put(renamed, first);
      const other = aLabel({ project, name: first.name });
      await put(other);
      await put(renamed, first);
      expect(await collect(open().labels.in(project))).toEqual(expect.arrayContaining([renamed, other]));
    });

    it('have a name that no other of the same project has', async () => {
      const project = aRepository();
      const mine = aLabel({ project });
      await put(mine);
      expect(await put(aLabel({ project, name: mine.name }))).toBe(false);
      const other = aLabel({ project });
      await put(other);
      expect(await put(changed(other, { name: mine.name }), other)).toBe(false);
      expect(await get(other)).toEqual(other);
      for (const elsewhere of [
        aLabel({ name: mine.name }),
        aLabel({ project: aRepository(), name: mine.name }),
      ]) {
        expect(await put(elsewhere)).toBe(true);
      }
    });

    it('are given one name by one of many', async () => {
      const name = randomUUID();
      const answers = await Promise.all(Array.from({ length: 5 }, () => put(aLabel({ name }))));
      expect(answers.filter(Boolean)).toHaveLength(1);
    });

    it('leave their name to others when they are called otherwise, or removed', async () => {
      const { name, ...rest } = aLabel();
      const first = { ...rest, name };
      const renamed = changed(first, { name: randomUUID() });
      await put(first);
      await put(renamed, first);
      expect(await put(aLabel({ name }))).toBe(true);
      expect(await open().labels.remove(renamed, anAccessChange())).toBe(true);
      expect(await put(aLabel({ name: renamed.name }))).toBe(true);
    });

    it('are removed as they were seen, and not made again by who changes them then', async () => {
      const first = aLabel();
      await put(first);
      const second = changed(first);
      await put(second, first);
      expect(await open().labels.remove(first, anAccessChange())).toBe(false);
      expect(await open().labels.remove(second, anAccessChange())).toBe(true);
      expect(await open().labels.remove(second, anAccessChange())).toBe(false);
      expect(await put(changed(second), second)).toBe(false);
      expect(await get(first)).toBeUndefined();
    });

    it('are told with each change, and with nothing that was refused', async () => {
      const repository = aRepository();
      const tell = () => anAccessChange({ action: 'label_changed', repository });
      const [made, refused, removed] = [tell(), tell(), tell()];
      const label = aLabel({ project: repository });
      await open().labels.put(label, undefined, made);
      await open().labels.put(changed(label), undefined, refused);
      await open().labels.remove(label, removed);
      const told = await collect(open().audit.read({ repository }, {}));
      expect(told.map(({ id }) => id).toSorted()).toEqual([made.id, removed.id].toSorted());
    });
  });
}
