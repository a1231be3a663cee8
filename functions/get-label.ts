import { shownLabel } from '../shared/domain/label.ts';
import { labelAccess } from '../shared/edge/environment.ts';
import { type LabelAccess, labelIdOf, readableLabel } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** GET /api/v2.0/labels/{id}: one label. */
export function getLabel(dependencies: LabelAccess): Endpoint {
  return async (request, caller) =>
    json(200, shownLabel(await readableLabel(dependencies, caller, labelIdOf(request))));
}

export const handler = lambdaHandler('get-label', (environment) => getLabel(labelAccess(environment)));
