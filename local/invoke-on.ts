import { holderOf } from './data-folder.ts';
import { InvocationError } from './invoke.ts';
import { type LocalOptions, startLocal } from './stack.ts';

/**
 * Invokes a function of the stack over a data folder: of the one that runs there, or else of one that is started
 * for that and stopped again.
 *
 * @throws InvocationError with what the function failed with
 */
export async function invokeOn(
  dataDir: string,
  functionName: string,
  payload?: unknown,
  options?: LocalOptions,
): Promise<unknown> {
  const holder = await holderOf(dataDir);
  if (holder === undefined) {
    const stack = await startLocal({ ...options, dataDir });
    return await stack.invoke(functionName, payload).finally(() => stack.stop());
  }
  const url = `${holder.url}/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${holder.secret}` },
    body: JSON.stringify(payload ?? null),
  });
  const value: unknown = await answer.json();
  if (answer.headers.has('x-amz-function-error')) throw new InvocationError(JSON.stringify(value));
  return value;
}
