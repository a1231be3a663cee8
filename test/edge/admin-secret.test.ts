import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { adminSecret } from '../../shared/store/admin-secret.ts';

let server: Server | undefined;

/** A Secrets Manager that holds this text in every secret. */
async function holding(secretString: string): Promise<{ readonly asked: unknown[] }> {
  const asked: unknown[] = [];
  server = createServer(async (request, response) => {
    asked.push(request.headers['x-amz-target'], JSON.parse(await text(request)));
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ SecretString: secretString }));
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', `http://127.0.0.1:${port}`);
  vi.stubEnv('AWS_REGION', 'eu-central-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  return { asked };
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  vi.unstubAllEnvs();
});

describe('the admin secret', () => {
  it('is read from Secrets Manager', async () => {
    const { asked } = await holding('{"username":"admin","password":"se:cret","more":1}');
    expect(await adminSecret('arn:secret').readPassword()).toBe('se:cret');
    expect(asked).toEqual(['secretsmanager.GetSecretValue', { SecretId: 'arn:secret' }]);
  });

  it.each([
    { why: 'no JSON', content: 'pa55word' },
    { why: 'nothing', content: '' },
    { why: 'no object', content: '"pa55word"' },
    { why: 'null', content: 'null' },
    { why: 'no password', content: '{"username":"admin"}' },
    { why: 'an empty password', content: '{"username":"admin","password":""}' },
    { why: 'a number as password', content: '{"username":"admin","password":55}' },
  ])('is refused when it holds $why, without repeating it', async ({ content }) => {
    await holding(content);
    const message = 'the admin secret does not hold JSON with a "password"';
    await expect(adminSecret('arn:secret').readPassword()).rejects.toThrow(new Error(message));
  });
});
