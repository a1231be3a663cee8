import { Fault } from '../shared/domain/fault.ts';
import { errorResponse } from '../shared/edge/response.ts';
import { methodsAt } from '../shared/edge/route-match.ts';
import { type Endpoint, openHandler } from '../shared/edge/serve.ts';

/** Whatever no route matches: 405 for another method on a known path, else 404. */
export function answerUnknownRoute(): Endpoint {
  return async ({ method, path }) => {
    const allowed = methodsAt(path);
    if (allowed.length === 0) throw new Fault('not_found', 'not found');
    const allow = allowed.join(', ');
    const fault = new Fault('method_not_allowed', `${method} is not allowed here: use ${allow}`);
    return errorResponse(fault, { allow });
  };
}

export const handler = openHandler('answer-unknown-route', answerUnknownRoute);
