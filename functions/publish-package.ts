import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { objects, versions } from '../shared/edge/environment.ts';
import { isForm, readForm } from '../shared/edge/form.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { type Request, repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { binaryBody, checkSize, mayOverwrite, type UploadRules } from '../shared/edge/upload.ts';
import { type PublishDependencies, publishPackage } from '../shared/publish.ts';
import { publishProvenance } from '../shared/publish-provenance.ts';

/** What a body may bring: at least one of them. */
type Files = { readonly chart?: Uint8Array; readonly prov?: Uint8Array };

/**
 * POST /api/{repository}/charts: a package as the whole body, or a form with `chart`, `prov` or both.
 * Whatever is no form is taken for a package, by any media type or none, as ChartMuseum does.
 */
export function postPackage(dependencies: PublishDependencies, rules: UploadRules): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const overwrite = mayOverwrite(request, rules);
    const { chart, prov } = await readFiles(request, rules);
    if (chart !== undefined) {
      const upload = { repository, package: chart, overwrite };
      await publishPackage(dependencies, prov === undefined ? upload : { ...upload, provenance: prov });
    } else if (prov !== undefined) {
      await publishProvenance(dependencies, { repository, provenance: prov, overwrite });
    }
    return json(201, { saved: true });
  };
}

async function readFiles(request: Request, rules: UploadRules): Promise<Files> {
  const body = binaryBody(request);
  const files: Files = isForm(request) ? await readForm(request) : { chart: body };
  if (files.chart !== undefined) checkSize(files.chart, 'package', rules);
  if (files.prov !== undefined) checkSize(files.prov, 'provenance file', rules);
  return files;
}

export const handler = lambdaHandler('publish-package', (environment) =>
  postPackage(
    {
      versions: versions(environment),
      objects: objects(environment),
      clock: systemClock,
      newId: randomUUID,
    },
    environment,
  ),
);
