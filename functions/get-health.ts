import { json } from '../shared/edge/response.ts';
import { type Endpoint, openHandler } from '../shared/edge/serve.ts';

/** GET /health: that requests are answered; open to every load balancer and monitor. */
export function getHealth(): Endpoint {
  return async () => json(200, { healthy: true });
}

export const handler = openHandler('get-health', getHealth);
