import { json } from '../shared/edge/response.ts';
import { type Endpoint, openHandler } from '../shared/edge/serve.ts';

// The last Harbor that had chart repositories: clients look for them up to this version.
const HARBOR_VERSION = 'v2.7.4';

/** GET /api/v2.0/systeminfo: what clients ask of a Harbor before they take it for one with chart repositories. */
export function getSystemInfo(): Endpoint {
  return async () =>
    json(200, {
      with_chartmuseum: true,
      with_notary: false,
      auth_mode: 'db_auth',
      harbor_version: HARBOR_VERSION,
      project_creation_restriction: 'adminonly',
      self_registration: false,
      has_ca_root: false,
      read_only: false,
    });
}

export const handler = openHandler('get-system-info', getSystemInfo);
