import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { parseRepositorySettings } from '../shared/domain/settings.ts';
import { settings } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { putSettings } from '../shared/repository-settings.ts';
import { parseKeyRing } from '../shared/signature.ts';

/**
 * PUT /-/settings{repository}: a JSON object takes the place of what the repository said before. It holds
 * for whatever begins after the answer. A key ring is read, so that one that is of no use is refused now.
 */
export function replaceSettings(dependencies: Parameters<typeof putSettings>[0]): Endpoint {
  return async (request, caller) => {
    const repository = repositoryOf(request);
    const parsed = parseRepositorySettings(readJson(request, 'the settings'));
    if (parsed.keyRing) await parseKeyRing(parsed.keyRing);
    await putSettings(dependencies, repository, parsed, senderOf(request, caller));
    return json(200, parsed);
  };
}

export const handler = lambdaHandler('put-settings', (environment) =>
  replaceSettings({ settings: settings(environment), clock: systemClock, newId: randomUUID }),
);
