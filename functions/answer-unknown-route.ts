import { Fault } from '../shared/domain/fault.ts';
import { errorResponse, headersOnly, redirect } from '../shared/edge/response.ts';
import { methodsAt } from '../shared/edge/route-match.ts';
import { type Endpoint, openHandler } from '../shared/edge/serve.ts';

/**
 * Whatever no route matches: 405 for another method on a known path, the way to it for a known path with a
 * `/` too many, else 404. `helm serve` answered /charts/, and the gateway takes no route that ends in `/`.
 */
export function answerUnknownRoute({ apiEnabled }: { apiEnabled: boolean }): Endpoint {
  const methodsOf = (path: string) => (apiEnabled || !path.startsWith('/api/') ? methodsAt(path) : []);
  return async ({ method, path, query, headers }) => {
    const allowed = methodsOf(path);
    const bare = path.replace(/\/$/, '');
    const reads = method === 'GET' || method === 'HEAD';
    // Not for an upload or a delete: clients turn a redirected POST into a GET, and take that for success.
    if (reads && /[^/]\/$/.test(path) && methodsOf(bare).includes(method)) {
      // Relative, since a base path may stand before what the gateway shows of the path.
      const last = encodeURIComponent(bare.slice(bare.lastIndexOf('/') + 1));
      return redirect(`../${last}${query.size > 0 ? `?${query}` : ''}`);
    }
    if (allowed.length === 0) throw new Fault('not_found', 'not found');
    const allow = allowed.join(', ');
    // A browser's preflight. The gateway answers it, or adds the headers that count to what we answer: AWS says
    // both. A browser goes on only after a success.
    if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
      return headersOnly(204, { allow });
    }
    const fault = new Fault('method_not_allowed', `${method} is not allowed here: use ${allow}`);
    return errorResponse(fault, { allow });
  };
}

export const handler = openHandler('answer-unknown-route', answerUnknownRoute);
