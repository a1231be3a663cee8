import { parseRepositorySettings } from '../shared/domain/settings.ts';
import { settings } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, repositoryOf } from '../shared/edge/request.ts';
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
    const parsed = parseRepositorySettings(readJson(request, 'the settings'));
    if (parsed.keyRing) await parseKeyRing(parsed.keyRing);
    await settings.put(repository, parsed);
    return json(200, parsed);
  };
}

export const handler = lambdaHandler('put-settings', (environment) =>
  putSettings({ settings: settings(environment) }),
);
