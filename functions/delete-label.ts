import { labelAccess, labelDependencies } from '../shared/edge/environment.ts';
import { changeableLabel, type LabelAccess } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { deleteLabel } from '../shared/labels.ts';

/** DELETE /api/v2.0/labels/{id}: the label, which no version shows any more. */
export function removeLabel(dependencies: LabelAccess & Parameters<typeof deleteLabel>[0]): Endpoint {
  return async (request, caller) => {
    const label = await changeableLabel(dependencies, request, caller);
    await deleteLabel(dependencies, label, senderOf(request, caller));
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('delete-label', (environment) =>
  removeLabel({ ...labelAccess(environment), ...labelDependencies(environment) }),
);
