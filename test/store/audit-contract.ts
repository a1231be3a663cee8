import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { collect } from '../../shared/async-iteration.ts';
import { parseAccountName, type User } from '../../shared/domain/account.ts';
import { type AuditedChange, type AuditRange, cursorOf } from '../../shared/domain/audit.ts';
import type { VersionId } from '../../shared/domain/object-keys.ts';
import type { Stores } from './contract.ts';
import {
  aChange,
  anAccessChange,
  aPending,
  aProvenance,
  aRepository,
  aVersionId,
  now,
  removal,
  somebody,
} from './records.ts';

const anAccount = (): User => ({
  name: parseAccountName(`a-${randomUUID()}`),
  kind: 'user',
  created: '2026-01-02T03:04:05.678Z',
  grants: [],
  revision: randomUUID(),
  passwordHash: '$scrypt$…',
});

const fresh = { overwrite: false, now };
const overwriting = { overwrite: true, now };

/** What every store of the audit promises, and every other that tells it of changes. */
export function auditContract(open: () => Stores): void {
  const ofRepository = async (id: Pick<VersionId, 'repository'>, range: AuditRange = {}) =>
    await collect(open().audit.read({ repository: id.repository }, range));

  describe('the audit', () => {
    it('shows a change in each of its views, and nowhere else', async () => {
      const id = aVersionId();
      const account = randomUUID();
      const change: AuditedChange = {
        ...aChange({ digest: 'd', was: 'e', reason: 'r', by: { ...somebody, account } }),
        ...id,
      };
      await open().audit.put(change);
      const other = aVersionId();
      expect(await ofRepository(id)).toEqual([change]);
      expect(await ofRepository(other)).toEqual([]);
      expect(await collect(open().audit.read({ account }, {}))).toEqual([change]);
      expect(await collect(open().audit.read({ account: `${account}2` }, {}))).toEqual([]);
      expect(await collect(open().audit.read({ day: '2026-01-02' }, {}))).toContainEqual(change);
      expect(await collect(open().audit.read({ day: '2026-01-03' }, {}))).not.toContainEqual(change);
    });

    it('keeps a change once, as it was told first', async () => {
      const id = aVersionId();
      const change = { ...aChange({ was: 'first' }), ...id };
      await open().audit.put(change);
      await open().audit.put(change);
      await open().audit.put({ ...change, was: 'second' });
      expect(await ofRepository(id)).toEqual([change]);
    });

    it('shows the newest first, from an instant until another, behind a change', async () => {
      const id = aVersionId();
      const [first, second, third] = ['01', '02', '03'].map((day) => ({
        ...aChange({ at: `2026-01-${day}T00:00:00.000Z` }),
        ...id,
      }));
      for (const change of [second, third, first]) if (change) await open().audit.put(change);
      expect(await ofRepository(id)).toEqual([third, second, first]);
      expect(await ofRepository(id, { from: '2026-01-02T00:00:00.000Z' })).toEqual([third, second]);
      expect(await ofRepository(id, { until: '2026-01-02T00:00:00.000Z' })).toEqual([first]);
      expect(await ofRepository(id, { after: third && cursorOf(third) })).toEqual([second, first]);
      const range = { from: '2026-01-02T00:00:00.000Z', after: third && cursorOf(third) };
      expect(await ofRepository(id, range)).toEqual([second]);
      expect(await ofRepository(id, { from: '2027', after: first && cursorOf(first) })).toEqual([]);
    });
  });

  describe('the changes of a version', () => {
    const changesOf = async (id: VersionId) => (await open().versions.get(id))?.changes;
    const mark = async (id: VersionId) => {
      const [found] = await collect(open().versions.marks(id.repository));
      if (found === undefined) throw new Error('there is no mark');
      return found;
    };
    const publish = async (id: VersionId, content: string) => {
      const pending = aPending(id, { content });
      await open().versions.reserve(id, pending, overwriting);
      await open().versions.commit(id, pending);
      return pending;
    };

    it('tell who published, with what, only once it is committed', async () => {
      const id = aVersionId();
      const pending = aPending(id);
      await open().versions.reserve(id, pending, fresh);
      expect(await changesOf(id)).toBeUndefined();
      await open().versions.commit(id, pending);
      expect(await changesOf(id)).toEqual([pending.change]);
      await open().versions.commit(id, pending);
      expect(await changesOf(id)).toEqual([pending.change]);
    });

    it('tell nothing of a reservation that was given up', async () => {
      const id = aVersionId();
      const pending = aPending(id);
      await open().versions.reserve(id, pending, fresh);
      await open().versions.abandon(id, pending.key);
      expect(await changesOf(id)).toBeUndefined();
    });

    it('tell all that happened between two refreshes, with what each took the place of', async () => {
      const id = aVersionId();
      const one = await publish(id, 'one');
      const two = await publish(id, 'two');
      const signed = aChange({ action: 'signed' });
      const file = aProvenance(id, 'two');
      await open().versions.addProvenance(id, file, { overwrite: false, change: signed });
      const again = aChange({ action: 'signed' });
      const other = aProvenance(id, 'two');
      await open().versions.addProvenance(id, other, { overwrite: true, change: again });
      const deletion = removal();
      await open().versions.remove(id, two.key, deletion);
      const three = await publish(id, 'three');
      expect(await changesOf(id)).toEqual([
        one.change,
        { ...two.change, action: 'overwrote', was: one.digest },
        signed,
        { ...again, was: file.digest },
        { ...deletion.change, was: two.digest },
        three.change,
      ]);
    });

    it('tell who brought a version back', async () => {
      const id = aVersionId();
      const { expires, change, ...live } = aPending(id);
      const restored = aChange({ action: 'restored' });
      await open().versions.restore(id, live, { change: restored });
      expect(await changesOf(id)).toEqual([restored]);
    });

    it('mark it for each, a provenance file that waits for its package too', async () => {
      const id = aVersionId();
      const sign = () =>
        open().versions.addProvenance(id, aProvenance(id), { overwrite: true, change: aChange() });
      await sign();
      const first = await mark(id);
      await sign();
      await open().versions.indexed(first);
      expect(await changesOf(id)).toHaveLength(2);
      await open().versions.indexed(await mark(id));
      expect(await changesOf(id)).toBeUndefined();
      expect((await open().versions.get(id))?.provenance).toBeDefined();
    });

    it('go with the mark, and tell of what comes after it what it took the place of', async () => {
      const id = aVersionId();
      const one = await publish(id, 'one');
      await open().versions.indexed(await mark(id));
      expect(await changesOf(id)).toBeUndefined();
      const two = await publish(id, 'two');
      expect(await changesOf(id)).toEqual([{ ...two.change, action: 'overwrote', was: one.digest }]);
    });
  });

  describe('a change of access', () => {
    it('is in the audit if it took effect, and else is not', async () => {
      const { accounts, audit } = open();
      const account = anAccount();
      const { name: target, revision } = account;
      const told = () => anAccessChange({ target });
      const read = async () => await collect(audit.read({ account: target }, {}));
      const made = told();
      expect(await accounts.put(account, undefined, made)).toBe(true);
      expect(await read()).toEqual([made]);
      expect(await accounts.put({ ...account, revision: randomUUID() }, undefined, told())).toBe(false);
      expect(await accounts.put({ ...account, revision: randomUUID() }, 'another', told())).toBe(false);
      expect(await read()).toEqual([made]);
      expect(await accounts.get(target)).toMatchObject({ revision });
      const gone = anAccessChange({ target, at: '2026-02-01T00:00:00.000Z' });
      expect(await accounts.remove(target, gone)).toBe(true);
      expect(await accounts.remove(target, told())).toBe(false);
      expect(await read()).toEqual([gone, made]);
    });

    it('is in the audit with the settings that it is of', async () => {
      const repository = aRepository();
      const change = anAccessChange({ action: 'settings_changed', repository, detail: { settings: {} } });
      await open().settings.put(repository, { maxVersions: 3 }, change);
      expect(await ofRepository({ repository })).toEqual([change]);
    });
  });
}
