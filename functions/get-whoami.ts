import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** GET /-/whoami: as whom a request is taken, and what that account may do. */
export function getWhoami(): Endpoint {
  return async (_, { name, kind, grants }) => json(200, { ...(name && { name }), kind, grants });
}

export const handler = lambdaHandler('get-whoami', getWhoami);
