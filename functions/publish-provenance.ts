import { may } from '../shared/domain/access.ts';
import { Fault } from '../shared/domain/fault.ts';
import { publishDependencies } from '../shared/edge/bucket-environment.ts';
import { isForm, readForm } from '../shared/edge/form.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { type Request, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { asksForForce, checkSize, noteTaken, type UploadRules } from '../shared/edge/upload.ts';
import { takeUpload, type UploadDependencies } from '../shared/upload.ts';

/**
 * POST /api/{repository}/prov: a provenance file as the whole body, or in the form field `prov`, which
 * Harbor's documentation shows. The file is text, so it survives every media type.
 */
export function postProvenance(dependencies: UploadDependencies, rules: UploadRules): Endpoint {
  return async (request, caller) => {
    const repository = repositoryOf(request);
    const by = senderOf(request, caller);
    const admission = await dependencies.admission(repository, by);
    const prov = await readProvenance(request, rules);
    checkSize(prov, 'provenance file', { ...rules, repository });
    const mayReplace = may(caller, 'maintain', repository);
    const asked = { force: asksForForce(request), mayReplace, by };
    const taken = await takeUpload(dependencies, { repository, admission, prov, ...asked });
    noteTaken(taken);
    return json(201, { saved: true });
  };
}

async function readProvenance(request: Request, { formFields }: UploadRules): Promise<Uint8Array> {
  if (!isForm(request)) return request.body;
  const { prov } = await readForm(request, formFields);
  if (prov === undefined) {
    throw new Fault(
      'invalid_request',
      `no provenance file found in form field ${formFields.prov}: send packages to …/charts`,
    );
  }
  return prov;
}

export const handler = lambdaHandler('publish-provenance', (environment) =>
  postProvenance(publishDependencies(environment), environment),
);
