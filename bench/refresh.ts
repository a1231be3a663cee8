import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Figure } from './figures.ts';
import { startStack } from './stack-process.ts';

/** The first thing that a process says. */
async function heard<Message>(child: ReturnType<typeof fork>): Promise<Message> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('a process of the bench ended')));
  const [message]: Message[] = await Promise.race([once(child, 'message'), ended]);
  if (message === undefined) throw new Error('a process of the bench said nothing');
  return message;
}

export type RefreshOptions = {
  /** Of the seeded versions, how many a chart has. @default 20 */
  readonly versionsOfChart?: number;
  /** How large an index is put as a whole. @default as deployed */
  readonly wholeBytes?: number;
};

/** The refresh step alone, in a process that loads and holds nothing else: the bucket is in another one. */
export async function refreshFigures(
  count: number,
  options: RefreshOptions = {},
): Promise<readonly Figure[]> {
  const stack = await startStack();
  const refresh = fork(path.join(import.meta.dirname, 'refresh-process.ts'), {
    execArgv: ['--import', 'tsx'],
  });
  try {
    const measured = heard<readonly Figure[]>(refresh);
    const { clientConfig, bucketName } = stack.where;
    refresh.send({ clientConfig, bucketName, count, ...options });
    return await measured;
  } finally {
    if (refresh.connected) refresh.disconnect();
    await stack.stop();
  }
}
