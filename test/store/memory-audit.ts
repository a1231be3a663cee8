import { type AuditedChange, type AuditView, cursorOf, viewsOf } from '../../shared/domain/audit.ts';
import type { AuditStore } from '../../shared/store/audit-store.ts';
import { type Hook, hooked } from './hook.ts';

/** The audit in memory, and ways to look at it and to write it with a change that are no calls. */
export type MemoryAudit = AuditStore & {
  changes(): readonly AuditedChange[];
  keep(change: AuditedChange): void;
};

export function memoryAudit({ hook }: { readonly hook?: Hook } = {}): MemoryAudit {
  const call = hooked('audit', hook);
  const kept = new Map<string, AuditedChange>();
  const keep = (change: AuditedChange) => {
    if (!kept.has(cursorOf(change))) kept.set(cursorOf(change), structuredClone(change));
  };
  const isSeenIn = (change: AuditedChange, view: AuditView) =>
    viewsOf(change).some((each) => JSON.stringify(each) === JSON.stringify(view));
  return {
    changes: () => [...kept.values()],
    keep,
    put: (change) => call('put', () => keep(change)),
    async *read(view, { from = '', until = '~', after = '~' }) {
      const isIn = (cursor: string) => cursor >= from && cursor < until && cursor < after;
      const found = await call('read', () =>
        [...kept].filter(([cursor, change]) => isIn(cursor) && isSeenIn(change, view)),
      );
      yield* found.sort(([a], [b]) => (a < b ? 1 : -1)).map(([, change]) => structuredClone(change));
    },
  };
}
