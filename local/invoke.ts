import type { RequestListener } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Functions } from './functions.ts';

/** A function failed, or there is none of that name. */
export class InvocationError extends Error {}

/** Finds a function by its logical id or the beginning of it, in any case and without dashes, and runs it. */
export async function invokeByName(functions: Functions, name: string, payload: unknown): Promise<unknown> {
  const plain = name.replaceAll('-', '').toLowerCase();
  const [found, ...others] = [...functions].filter(([id]) => id.toLowerCase().startsWith(plain));
  if (found === undefined || others.length > 0) throw new InvocationError(`${name} is not one function`);
  const invocation = await found[1].invoke(JSON.stringify(payload ?? null));
  if (invocation.outcome === 'error') throw new InvocationError(invocation.detail);
  return JSON.parse(invocation.payload);
}

/**
 * Lambda's `Invoke` for other processes that know the secret of the data folder; to anything else they ask it
 * answers 200 with nothing, which tells that the stack is there.
 */
export function invocationListener(
  secret: string,
  stack: { invoke(name: string, payload: unknown): Promise<unknown> },
): RequestListener {
  return (request, response) => {
    const json = (status: number, value: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (request.headers.authorization !== `Bearer ${secret}`) return void json(403, { message: 'Forbidden' });
    const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '') ?? [];
    if (name === undefined) return void json(200, null);
    text(request)
      .then(async (body) =>
        json(200, await stack.invoke(decodeURIComponent(name), JSON.parse(body || 'null'))),
      )
      .catch((error: unknown) => {
        response.setHeader('x-amz-function-error', 'Unhandled');
        json(200, { errorMessage: error instanceof Error ? error.message : String(error) });
      });
  };
}
