import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { Fault } from '../shared/domain/fault.ts';
import { objects, versions } from '../shared/edge/environment.ts';
import { isForm, readForm } from '../shared/edge/form.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { type Request, repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { checkSize, mayOverwrite, type UploadRules } from '../shared/edge/upload.ts';
import type { PublishDependencies } from '../shared/publish.ts';
import { publishProvenance } from '../shared/publish-provenance.ts';

/**
 * POST /api/{repository}/prov: a provenance file as the whole body, or in the form field `prov`, which
 * Harbor's documentation shows. The file is text, so it survives every media type.
 */
export function postProvenance(dependencies: PublishDependencies, rules: UploadRules): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const provenance = await readProvenance(request);
    checkSize(provenance, 'provenance file', rules);
    const overwrite = mayOverwrite(request, rules);
    await publishProvenance(dependencies, { repository, provenance, overwrite });
    return json(201, { saved: true });
  };
}

async function readProvenance(request: Request): Promise<Uint8Array> {
  if (!isForm(request)) return request.body;
  const { prov } = await readForm(request);
  if (prov === undefined) {
    throw new Fault(
      'invalid_request',
      'no provenance file found in form field prov: send packages to …/charts',
    );
  }
  return prov;
}

export const handler = lambdaHandler('publish-provenance', (environment) =>
  postProvenance(
    {
      versions: versions(environment),
      objects: objects(environment),
      clock: systemClock,
      newId: randomUUID,
    },
    environment,
  ),
);
