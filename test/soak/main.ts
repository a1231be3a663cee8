import { endUnused, readOptions } from '../command-line.ts';
import { Violation } from './ledger.ts';
import { soak } from './soak.ts';

const USAGE = `Works on a runner that is killed again and again, and sees that every promise holds.

  npm run soak -- [--seconds N] [--seed S]

N is 60 unless given; the seed, which is printed, decides who does what and when a kill comes.`;

const values = readOptions(USAGE, {
  seconds: { type: 'string', default: '60' },
  // What the machine makes of it differs from run to run.
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
});

async function main(): Promise<void> {
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (!(seconds > 0 && Number.isInteger(seed))) endUnused(USAGE, '--seconds is a number, --seed an integer');
  console.log(`soak of ${seconds} s, --seed ${seed}`);
  const began = performance.now();
  const done = await soak(seconds, seed);
  console.log(`every promise held, in ${((performance.now() - began) / 1_000).toFixed(0)} s with --seed ${seed}:
  publishes  ${done.published} acknowledged, ${done.refused} refused; ${done.overwritten} overwrites acknowledged
  deletes    ${done.deleted} acknowledged
  cut off    ${done.cutOff} publishes, overwrites and deletes
  reads      ${done.indexReads} indexes and lists, ${done.downloads} packages
  Helm       ${done.helmRuns} runs, ${done.helmRunsCutOff} of them cut off
  runner     ${done.starts} starts, ${done.kills} kills at work, ${done.killsWhileStarting} while starting
  versions   ${done.versions} at the end`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Violation ? `a promise did not hold: ${error.message}` : error);
  process.exit(1);
});
