import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { randomFrom } from '../random.ts';
import type { World } from './world.ts';

// How long it lives between two kills, and how long it may take from its start until it answers.
const LIFE_MS = [300, 7_000] as const;
const START_MS = 5_000;

// An acknowledgement comes within this time, or the kill comes without one.
const ACKNOWLEDGEMENT_MS = 2_000;

/** Kills the runner at random moments and starts it again, until the time is over. It runs in the end. */
export async function killer(world: World, endsAt: number): Promise<void> {
  const { runner, figures } = world;
  const random = randomFrom(world.seed);
  try {
    while (!world.over && performance.now() < endsAt) {
      await Promise.race([sleep(random.between(...LIFE_MS)), world.ended]);
      // Half of the kills come right upon an acknowledgement: what it speaks of must have been written by then.
      if (random.chance(0.5)) await nextAcknowledgement(world);
      figures.kills += 1;
      await runner.end('SIGKILL');
      await startAgain(world, random);
    }
  } catch (error) {
    world.end(error);
  }
}

async function nextAcknowledgement(world: World): Promise<void> {
  const acknowledged = new Promise<void>((resolve) => {
    world.onAcknowledgement = () => {
      // At once, not after the promises that wait meanwhile.
      void world.runner.end('SIGKILL').then(resolve);
    };
  });
  await Promise.race([acknowledged, sleep(ACKNOWLEDGEMENT_MS), world.ended]);
  world.onAcknowledgement = undefined;
}

/** Some starts are killed too: what a start does to the files must survive that as well. */
async function startAgain({ runner, figures }: World, random: Random): Promise<void> {
  while (random.chance(0.25)) {
    runner.spawn();
    await sleep(random.between(0, START_MS));
    await runner.end('SIGKILL');
    figures.killsWhileStarting += 1;
  }
  await runner.start();
}
