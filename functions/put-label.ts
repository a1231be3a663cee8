import { parseLabelWish } from '../shared/domain/label.ts';
import { labelAccess, labelDependencies } from '../shared/edge/environment.ts';
import { changeableLabel, type LabelAccess } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { changeLabel, type LabelDependencies } from '../shared/labels.ts';

/** PUT /api/v2.0/labels/{id}: says anew what a label says. */
export function replaceLabel(dependencies: LabelAccess & LabelDependencies): Endpoint {
  return async (request, caller) => {
    const label = await changeableLabel(dependencies, request, caller);
    const wish = parseLabelWish(readJson(request, 'the label'));
    await changeLabel(dependencies, label, wish, senderOf(request, caller));
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('put-label', (environment) =>
  replaceLabel({ ...labelAccess(environment), ...labelDependencies(environment) }),
);
