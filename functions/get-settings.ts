import { settings } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { SettingsStore } from '../shared/store/settings-store.ts';

/** GET /-/settings{repository}: what the repository says of itself; the deployment says the rest. */
export function getSettings({ settings }: { settings: Pick<SettingsStore, 'get'> }): Endpoint {
  return async (request) => json(200, await settings.get(repositoryOf(request)));
}

export const handler = lambdaHandler('get-settings', (environment) =>
  getSettings({ settings: settings(environment) }),
);
