import { Fault } from '../shared/domain/fault.ts';
import { parseLabelChoice } from '../shared/domain/label.ts';
import { labelAccess, versions } from '../shared/edge/environment.ts';
import { type LabelAccess, readableLabel, versionIdOf } from '../shared/edge/labels.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type AttachDependencies, attachLabel, isUsable, liveVersion } from '../shared/labels.ts';

type Dependencies = LabelAccess & AttachDependencies;

/** POST /api/chartrepo/{repository}/charts/{name}/{version}/labels: gives a version one more label. */
export function postVersionLabel(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    const version = versionIdOf(request);
    const id = parseLabelChoice(readJson(request, '{"id": 1}'));
    // Before the label: who asks for a version that is not there hears of that first.
    await liveVersion(dependencies, version);
    const label = await readableLabel(dependencies, caller, id);
    if (!isUsable(label, version.repository)) {
      throw new Fault('invalid_request', `label ${id} is one of project ${label.project}`);
    }
    await attachLabel(dependencies, version, id);
    return headersOnly(200, { location: `${request.basePath}${request.path}/${id}` });
  };
}

export const handler = lambdaHandler('attach-label', (environment) =>
  postVersionLabel({ ...labelAccess(environment), versions: versions(environment) }),
);
