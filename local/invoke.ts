import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { redrivePath } from './aws.ts';
import { holderOf } from './data-folder.ts';
import { type LocalOptions, type LocalStack, startLocal } from './stack.ts';

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
  const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  return await onStack(dataDir, options, {
    asked: { path, payload },
    run: (stack) => stack.invoke(functionName, payload),
  });
}

/**
 * Sends the dead letters of the stack over a data folder once more; where none runs, the next one works on them.
 *
 * @returns how many
 */
export async function redriveOn(dataDir: string, options: LocalOptions = {}): Promise<number> {
  const asked = { path: redrivePath, payload: null };
  return Number(await onStack(dataDir, options, { asked, run: (stack) => stack.redrive() }));
}

type Task = {
  /** How a stack in another process is asked. */
  readonly asked: { readonly path: string; readonly payload: unknown };
  readonly run: (stack: LocalStack) => Promise<unknown>;
};

async function onStack(dataDir: string, options: LocalOptions, { asked, run }: Task): Promise<unknown> {
  const holder = await holderOf(dataDir);
  if (holder === undefined) {
    const stack = await startLocal({ ...options, dataDir });
    return await run(stack).finally(() => stack.stop());
  }
  const headers = { authorization: `Bearer ${holder.secret}` };
  // fetch would give up after five minutes; a function may take fifteen.
  const sent = request(`${holder.url}${asked.path}`, { method: 'POST', headers });
  const [answer] = (await once(sent.end(JSON.stringify(asked.payload)), 'response')) as [IncomingMessage];
  const value = await text(answer);
  if ('x-amz-function-error' in answer.headers)
    throw new Error((JSON.parse(value) as { errorMessage: string }).errorMessage);
  return JSON.parse(value);
}
