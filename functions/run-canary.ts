import { randomUUID } from 'node:crypto';
import { runCanary } from '../shared/canary.ts';
import { openCanaryHome } from '../shared/canary-home.ts';
import { systemClock } from '../shared/clock.ts';
import { accounts, knownRepositories, readEnvironment, settings } from '../shared/edge/environment.ts';
import { logError } from '../shared/edge/log.ts';
import { record } from '../shared/edge/record.ts';

/**
 * Called by the clock, and by hand (docs/runbook.md).
 *
 * @throws Error after a run that failed, so that Lambda counts it with the runs that were cut off before they could tell
 */
export const handler = async (): Promise<{ publishMs: number }> => {
  const environment = readEnvironment(process.env);
  const outcome = await runCanary({
    clock: systemClock,
    fetch,
    address: environment.apiUrl(),
    open: () =>
      openCanaryHome({
        access: environment.access,
        accounts: accounts(environment),
        knownRepositories: knownRepositories(environment),
        settings: settings(environment),
        clock: systemClock,
        newId: randomUUID,
      }),
  });
  record('CanarySucceeded', outcome.succeeded ? 1 : 0);
  if (outcome.succeeded) {
    record('CanaryPublish', outcome.publishMs);
    return { publishMs: outcome.publishMs };
  }
  logError('the canary failed', outcome.error, { step: outcome.step });
  throw new Error(`the canary failed to ${outcome.step}`, { cause: outcome.error });
};
