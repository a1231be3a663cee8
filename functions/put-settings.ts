import { Fault } from '../shared/domain/fault.ts';
import { parseRepositorySettings } from '../shared/domain/settings.ts';
import { settings } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { type Request, repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { parseKeyRing } from '../shared/signature.ts';
import type { SettingsStore } from '../shared/store/settings-store.ts';

/**
 * PUT /-/settings{repository}: a JSON object takes the place of what the repository said before. It holds
 * for whatever begins after the answer. A key ring is read, so that one that is of no use is refused now.
 */
export function putSettings({ settings }: { settings: Pick<SettingsStore, 'put'> }): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const parsed = parseRepositorySettings(readJson(request));
    if (parsed.keyRing) await parseKeyRing(parsed.keyRing);
    await settings.put(repository, parsed);
    return json(200, parsed);
  };
}

function readJson({ body }: Request): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch (cause) {
    throw new Fault('invalid_request', 'the body is no JSON: send the settings as a JSON object', { cause });
  }
}

export const handler = lambdaHandler('put-settings', (environment) =>
  putSettings({ settings: settings(environment) }),
);
