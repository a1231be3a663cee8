import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import dynalite from 'dynalite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bind, close } from '../../local/listen.ts';
import { type EndpointId, endpoints, fallback } from '../../shared/routes.ts';
import { anEvent } from '../functions/events.ts';
import { createTable } from '../store/aws.ts';

type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

const handlers = join(import.meta.dirname, '../../functions');

async function handlerOf(id: EndpointId): Promise<Handler> {
  vi.resetModules();
  const module: { handler: Handler } = await import(join(handlers, `${id}.ts`));
  return module.handler;
}

/** A request to the first route of each endpoint, without credentials. */
const requests = Object.entries(endpoints).map(([id, { methods, paths, permission }]) => ({
  id: id as keyof typeof endpoints,
  permission,
  method: methods[0],
  path: paths[0].replaceAll(/\{\w+\}/g, 'x'),
}));

/** Whether the answer without credentials is 401; of an index of no project it is, too. */
const isAsked = ({ id, permission }: Pick<(typeof requests)[number], 'id' | 'permission'>) =>
  id === 'get-merged-index' || (permission !== 'none' && permission !== 'anyone');

describe('the handlers, as Lambda calls them', () => {
  // Whether a repository is open to all readers stands in the table.
  const items = dynalite({ createTableMs: 0 });
  let url = '';
  beforeAll(async () => {
    url = `http://127.0.0.1:${await bind(items, '127.0.0.1', 0)}`;
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
    const client = new DynamoDBClient({ endpoint: url, region: 'eu-central-1', credentials });
    await createTable(client, 'table');
    client.destroy();
  });
  afterAll(() => close(items));

  beforeEach(() => {
    vi.stubEnv('TABLE_NAME', 'table');
    vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', url);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    vi.stubEnv('BUCKET_NAME', 'bucket');
    vi.stubEnv('AWS_REGION', 'eu-central-1');
  });
  afterEach(() => vi.unstubAllEnvs());

  it.each(requests)('ask for credentials exactly where the table of routes says so: $id', async (request) => {
    vi.stubEnv('ACCESS', 'closed');
    const handler = await handlerOf(request.id);
    const { statusCode, headers } = await handler(anEvent(request.method, request.path).event);
    const asked = isAsked(request);
    expect([statusCode, headers?.['www-authenticate']]).toEqual(
      asked ? [401, 'Basic realm="Chartroom"'] : [200, undefined],
    );
  });

  it.each(requests)(
    'are closed unless the environment says open: $id',
    async ({ id, method, path, permission }) => {
      const handler = await handlerOf(id);
      const { statusCode } = await handler(anEvent(method, path).event);
      expect(statusCode).toBe(isAsked({ id, permission }) ? 401 : 200);
    },
  );

  it('answer an unknown path without asking', async () => {
    vi.stubEnv('ACCESS', 'closed');
    const handler = await handlerOf(fallback);
    expect((await handler(anEvent('GET', '/nothing').event)).statusCode).toBe(404);
  });

  it.each(['', '/helm'])('know their base path, with %j before the path', async (given) => {
    vi.stubEnv('INDEX_SETTINGS', '{"contextPath":"/helm"}');
    const { endpoint, event } = anEvent('PATCH', '/charts/a.tgz');
    const handler = await handlerOf(endpoint);
    const { statusCode, headers } = await handler({ ...event, rawPath: `${given}${event.rawPath}` });
    expect([statusCode, headers?.['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it.each([
    {
      why: 'an access nobody knows',
      name: 'ACCESS',
      value: 'Open',
      message: 'ACCESS is "open" or "closed", not "Open"',
    },
    { why: 'no table', name: 'TABLE_NAME', value: '', message: 'TABLE_NAME is not set' },
    {
      why: 'no number of bytes',
      name: 'MAX_UPLOAD_BYTES',
      value: '4MB',
      message: 'MAX_UPLOAD_BYTES is a positive number, not "4MB"',
    },
  ])('do not start with $why', async ({ name, value, message }) => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'chartroom');
    vi.stubEnv(name, value);
    await expect(handlerOf('get-version')).rejects.toThrow(message);
  });

  it('are one file for each endpoint, and those that no route leads to', () => {
    const files = readdirSync(handlers).sort();
    const expected = [
      ...Object.keys(endpoints),
      fallback,
      'check-schema',
      'index-repositories',
      'reconcile',
      'repair',
      'run-canary',
      'seed-admin',
    ]
      .map((id) => `${id}.ts`)
      .sort();
    expect(files).toEqual(expected);
  });
});
