import type { AuditedChange, AuditRange, AuditView } from '../domain/audit.ts';

/** Who changed what. Nothing in it is ever changed; it is forgotten after the days that the deployment says. */
export type AuditStore = {
  /** Keeps a change, in every view of it. The second time does nothing. */
  put(change: AuditedChange): Promise<void>;
  /** The changes of a view, the newest first. */
  read(view: AuditView, range: AuditRange): AsyncIterable<AuditedChange>;
};
