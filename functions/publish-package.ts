import { may } from '../shared/domain/access.ts';
import type { Repository } from '../shared/domain/repository.ts';
import { publishDependencies } from '../shared/edge/bucket-environment.ts';
import { isForm, readForm } from '../shared/edge/form.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { type Request, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { asksForForce, binaryBody, checkSize, noteTaken, type UploadRules } from '../shared/edge/upload.ts';
import { takeUpload, type UploadDependencies } from '../shared/upload.ts';

/** What a body may bring: at least one of them. */
type Files = { readonly chart?: Uint8Array; readonly prov?: Uint8Array };

/**
 * POST /api/{repository}/charts: a package as the whole body, or a form with `chart`, `prov` or both.
 * Whatever is no form is taken for a package, by any media type or none, as ChartMuseum does.
 */
export function postPackage(dependencies: UploadDependencies, rules: UploadRules): Endpoint {
  return async (request, caller) => {
    const repository = repositoryOf(request);
    const by = senderOf(request, caller);
    const admission = await dependencies.admission(repository, by);
    const files = await readFiles(request, { ...rules, repository });
    const mayReplace = may(caller, 'maintain', repository);
    const asked = { force: asksForForce(request), mayReplace, by };
    const taken = await takeUpload(dependencies, { repository, admission, ...files, ...asked });
    noteTaken(taken);
    return json(201, { saved: true });
  };
}

async function readFiles(
  request: Request,
  rules: UploadRules & { readonly repository: Repository },
): Promise<Files> {
  const body = binaryBody(request);
  const files: Files = isForm(request) ? await readForm(request, rules.formFields) : { chart: body };
  if (files.chart !== undefined) checkSize(files.chart, 'package', rules);
  if (files.prov !== undefined) checkSize(files.prov, 'provenance file', rules);
  return files;
}

export const handler = lambdaHandler('publish-package', (environment) =>
  postPackage(publishDependencies(environment), environment),
);
