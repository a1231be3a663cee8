import type { Context } from 'aws-lambda';
import { readEnvironment, reconcileDependencies } from '../shared/edge/environment.ts';
import { reportFinding } from '../shared/edge/report.ts';
import { type ReconcileDependencies, reconcile } from '../shared/reconcile.ts';

/** `now`: begin a pass over all repositories, though the last one is not a day old. */
export type ReconcileEvent = { readonly now?: boolean };
export type ReconcileAnswer = { readonly done: boolean };

// What is under way when the time is over: one chart, and one index.
const RESERVE_MS = 60_000;

/** Reconciles for as long as the function may run; called again and again, by the clock, until it is done. */
export function reconcileAll(dependencies: ReconcileDependencies) {
  return async (
    { now = false }: ReconcileEvent,
    context: Pick<Context, 'getRemainingTimeInMillis'>,
  ): Promise<ReconcileAnswer> => {
    const until = dependencies.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    return { done: await reconcile(dependencies, { until, now }) };
  };
}

let ready: ReturnType<typeof reconcileAll> | undefined;

export const handler: ReturnType<typeof reconcileAll> = (event, context) => {
  ready ??= reconcileAll({ ...reconcileDependencies(readEnvironment(process.env)), found: reportFinding });
  return ready(event, context);
};
