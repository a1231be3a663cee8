import type { Label } from '../../shared/domain/label.ts';
import type { LabelStore } from '../../shared/store/label-store.ts';
import { type Hook, hooked } from './hook.ts';
import { type MemoryAudit, memoryAudit } from './memory-audit.ts';

type Options = { readonly hook?: Hook; readonly audit?: MemoryAudit };

/** The labels in memory, and a way to look at them that is no call. */
export type MemoryLabels = LabelStore & { known(): readonly Label[] };

export function memoryLabels({ hook, audit = memoryAudit() }: Options = {}): MemoryLabels {
  const call = hooked('labels', hook);
  const labels = new Map<number, Label>();
  return {
    known: () => [...labels.values()],
    get: (id) => call('get', () => labels.get(id)),
    async *in(project) {
      yield* await call('in', () => [...labels.values()].filter((label) => label.project === project));
    },
    put: (label, replaces, change) =>
      call('put', () => {
        const present = labels.get(label.id)?.revision;
        if (present !== replaces?.revision && present !== label.revision) return false;
        const { id, name, project } = label;
        const others = [...labels.values()].filter((other) => other.id !== id);
        if (others.some((other) => other.name === name && other.project === project)) return false;
        labels.set(id, label);
        audit.keep(change);
        return true;
      }),
    remove: ({ id, revision }, change) =>
      call('remove', () => {
        if (labels.get(id)?.revision !== revision) return false;
        audit.keep(change);
        return labels.delete(id);
      }),
  };
}
