import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { helmBinary } from '../helm/binary.ts';
import { checkAtTheEnd, checkDataFolder } from './at-the-end.ts';
import { deleter, publisher } from './changes.ts';
import { helmUser } from './helm-user.ts';
import { killer } from './killer.ts';
import { reader } from './looks.ts';
import { Runner } from './runner.ts';
import { type Figures, World } from './world.ts';

export type Outcome = Figures & { readonly starts: number; readonly versions: number };

/**
 * Publishers, deleters, readers and Helm at work for some seconds on a runner that is killed again and again.
 *
 * @throws Violation when a promise does not hold; the data directory then stays, and its message names it
 */
export async function soak(seconds: number, seed: number): Promise<Outcome> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'chartroom-soak-'));
  const runner = await Runner.over(dataDir);
  const endNow = () => void runner.end('SIGKILL').finally(() => process.exit(1));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endNow);
  try {
    const world = new World(runner, seed);
    await runner.start();
    await work(world, performance.now() + seconds * 1_000);
    const versions = await checkAtTheEnd(world);
    await runner.end('SIGTERM');
    checkDataFolder(dataDir);
    await rm(dataDir, { recursive: true });
    return { ...world.figures, starts: runner.starts, versions };
  } catch (error) {
    if (error instanceof Error)
      error.message += `\nThe data directory is ${dataDir}, what the runner said:\n${runner.printed}`;
    throw error;
  } finally {
    await runner.end('SIGKILL');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, endNow);
  }
}

/** @throws the first trouble that anybody had */
async function work(world: World, endsAt: number): Promise<void> {
  const people = [publisher, publisher, publisher, publisher, deleter, deleter, reader, reader, reader];
  if (helmBinary() !== undefined) people.push(helmUser, helmUser);
  else console.log('there is no Helm here: the soak goes without');
  const all = people.map((person, part) => person(world, part));
  await killer(world, endsAt);
  world.end();
  await Promise.all(all);
  if (world.trouble !== undefined) throw world.trouble;
}
