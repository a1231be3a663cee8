import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { holderOf } from './data-folder.ts';
import { type LocalOptions, startLocal } from './stack.ts';

/**
 * Invokes a function of the stack over a data folder: of the one that runs there, or else of one that is started
 * for that and stopped again.
 *
 * @throws what the function failed with
 */
export async function invokeOn(
  dataDir: string,
  functionName: string,
  payload: unknown = null,
  options: LocalOptions = {},
): Promise<unknown> {
  const holder = await holderOf(dataDir);
  if (holder === undefined) {
    const stack = await startLocal({ ...options, dataDir });
    return await stack.invoke(functionName, payload).finally(() => stack.stop());
  }
  const url = `${holder.url}/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  const headers = { authorization: `Bearer ${holder.secret}` };
  // fetch would give up after five minutes; a function may take fifteen.
  const sent = request(url, { method: 'POST', headers }).end(JSON.stringify(payload));
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const value = await text(answer);
  if ('x-amz-function-error' in answer.headers)
    throw new Error((JSON.parse(value) as { errorMessage: string }).errorMessage);
  return JSON.parse(value);
}
