import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Call } from './row.ts';

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
};

/**
 * Sends a request with the path as it stands: `fetch` would take `..` out of it, and add headers.
 *
 * @param repository '' or segments without a slash at either end
 */
export async function send(origin: string, call: Call, repository: string): Promise<Answered> {
  const below = repository === '' ? '' : `/${repository}`;
  const { bytes, type } = (await call.body?.()) ?? {};
  const headers = { ...call.headers, ...(type !== undefined && { 'content-type': type }) };
  const first = await exchange(origin, call.method, call.path.replaceAll('/{repo}', below), headers, bytes);
  const { location } = first.headers;
  if (call.follows === undefined || location === undefined) return first;
  const answer = await fetch(new URL(location, origin));
  return {
    status: answer.status,
    headers: Object.fromEntries(answer.headers),
    body: Buffer.from(await answer.arrayBuffer()),
  };
}

function exchange(
  origin: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers } });
    sent.on('error', reject);
    sent.on('response', (response) => {
      const names = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
      const { statusCode: status = 0 } = response;
      buffer(response).then(
        (bytes) => resolve({ status, headers: Object.fromEntries(names), body: bytes }),
        reject,
      );
    });
    sent.end(body);
  });
}
