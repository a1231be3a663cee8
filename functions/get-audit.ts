import { type AuditedChange, cursorOf, parseAuditQuery } from '../shared/domain/audit.ts';
import { audit } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { AuditStore } from '../shared/store/audit-store.ts';

/** GET /-/audit: who changed what, the newest first, a page at a time; `next` is the `after` of the next page. */
export function getAudit({ audit }: { audit: Pick<AuditStore, 'read'> }): Endpoint {
  return async ({ query }) => {
    const { view, range, limit } = parseAuditQuery(query);
    const changes: AuditedChange[] = [];
    let last: AuditedChange | undefined;
    for await (const change of audit.read(view, range)) {
      if (last !== undefined && changes.length === limit) return json(200, { changes, next: cursorOf(last) });
      changes.push(change);
      last = change;
    }
    return json(200, { changes });
  };
}

export const handler = lambdaHandler('get-audit', (environment) => getAudit({ audit: audit(environment) }));
