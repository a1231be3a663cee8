import type { Clock } from './clock.ts';
import type { AccessChange, By } from './domain/audit.ts';

/** What telling of a change needs. */
export type ChangeDependencies = { readonly clock: Pick<Clock, 'now'>; readonly newId: () => string };

/** A change of who may do what, at this moment; the store writes it together with the change itself. */
export function accessChange(
  { clock, newId }: ChangeDependencies,
  by: By,
  what: Pick<AccessChange, 'action' | 'target' | 'repository' | 'detail'>,
): AccessChange {
  return { id: newId(), at: new Date(clock.now()).toISOString(), by, ...what };
}
