import type { Fault, FaultCode } from '../domain/fault.ts';
import type { Metric } from '../metrics.ts';
import type { EndpointId } from '../routes.ts';
import { isRead, type Request } from './request.ts';
import type { Response } from './response.ts';
import { countedValues } from './run.ts';

// One line for each request that changes something, or is refused; none for what is only read (docs/operations.md#logs).
// What writes it is loaded with the first one: most of those that Helm waits for never need it.

/** Tells of a request that changed something. */
export async function tellOfChange({ address }: Request, { status }: Response): Promise<void> {
  const { logInfo } = await import('./log.ts');
  logInfo('a request was done', { status, address }, countedValues());
}

/** Tells of a request that was refused, and counts it. */
export async function tellOfRefusal(
  endpoint: EndpointId,
  request: Request,
  { code, message: reason }: Fault,
  { status }: Response,
): Promise<void> {
  const metric = counted[code] ?? (isUpload(endpoint) && code !== 'try_again' ? 'Rejected' : undefined);
  if (isRead(request) && metric === undefined && USUAL.has(status)) return;
  const { logInfo } = await import('./log.ts');
  const fields = { status, code, reason, address: request.address };
  logInfo('a request was refused', fields, metric && { [metric]: 1 });
}

const counted: Readonly<Partial<Record<FaultCode, Metric>>> = {
  unauthorized: 'Denied',
  forbidden: 'Denied',
  hidden: 'Denied',
  wrong_credentials: 'BadCredentials',
  // No guess, since nothing is looked at: one job in a loop would look like many who guess.
  too_many_failures: 'Denied',
};

// Clients look for what is not there all day long, provenance files above all.
const USUAL: ReadonlySet<number> = new Set([404, 405, 416]);

const isUpload = (endpoint: EndpointId): boolean =>
  endpoint === 'publish-package' || endpoint === 'publish-provenance';
