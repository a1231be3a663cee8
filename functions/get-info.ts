import packageJson from '../package.json' with { type: 'json' };
import { json } from '../shared/edge/response.ts';
import { type Endpoint, openHandler } from '../shared/edge/serve.ts';

/** GET /info: which Chartroom this is. */
export function getInfo({ version }: { version: string }): Endpoint {
  return async () => json(200, { version });
}

export const handler = openHandler('get-info', () => getInfo({ version: packageJson.version }));
