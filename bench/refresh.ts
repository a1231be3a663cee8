import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Figure } from './figures.ts';

const start = (file: string) => fork(path.join(import.meta.dirname, file), { execArgv: ['--import', 'tsx'] });

/** The first thing that a process says. */
async function heard<Message>(child: ReturnType<typeof fork>): Promise<Message> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('a process of the bench ended')));
  const [message]: Message[] = await Promise.race([once(child, 'message'), ended]);
  if (message === undefined) throw new Error('a process of the bench said nothing');
  return message;
}

/**
 * The refresh step alone, in a process that loads and holds nothing else: the bucket is in another one.
 *
 * @param versionsOfChart of the seeded versions, how many a chart has
 */
export async function refreshFigures(count: number, versionsOfChart = 20): Promise<readonly Figure[]> {
  const [stores, refresh] = [start('stores.ts'), start('refresh-process.ts')];
  try {
    const measured = heard<readonly Figure[]>(refresh);
    refresh.send({ ...(await heard<object>(stores)), count, versionsOfChart });
    return await measured;
  } finally {
    for (const child of [stores, refresh]) child.disconnect();
  }
}
