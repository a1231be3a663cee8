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
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(payload) });
  const value: unknown = await answer.json();
  if (answer.headers.has('x-amz-function-error')) throw new Error(JSON.stringify(value));
  return value;
}
