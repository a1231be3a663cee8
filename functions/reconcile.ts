import type { Context } from 'aws-lambda';
import { reconcileDependencies } from '../shared/edge/bucket-environment.ts';
import { readEnvironment } from '../shared/edge/environment.ts';
import { reportFinding } from '../shared/edge/report.ts';
import { inRun } from '../shared/edge/run.ts';
import { type Finding, isDamage } from '../shared/findings.ts';
import { type ReconcileDependencies, reconcile } from '../shared/reconcile.ts';

/** `now`: begin a pass over all repositories, though the last one is not a day old. */
export type ReconcileEvent = { readonly now?: boolean };
export type ReconcileAnswer = {
  readonly done: boolean;
  /** No damage was found, or none is left, as far as the pass got. */
  readonly healthy: boolean;
  /** How many findings of each kind there were, and how many of them were mended. */
  readonly kinds: Partial<Record<Finding['kind'], { readonly found: number; readonly mended: number }>>;
};

// What is under way when the time is over: one chart, and one index.
const RESERVE_MS = 60_000;

/** Reconciles for as long as the function may run; called again and again, by the clock, until it is done. */
export function reconcileAll(dependencies: ReconcileDependencies) {
  return async (
    { now = false }: ReconcileEvent,
    context: Pick<Context, 'getRemainingTimeInMillis'>,
  ): Promise<ReconcileAnswer> => {
    const until = dependencies.clock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
    const kinds: ReconcileAnswer['kinds'] = {};
    let healthy = true;
    const found = (finding: Finding, isMended: boolean) => {
      const { found: before, mended } = kinds[finding.kind] ?? { found: 0, mended: 0 };
      kinds[finding.kind] = { found: before + 1, mended: mended + Number(isMended) };
      healthy &&= isMended || !isDamage(finding);
      dependencies.found(finding, isMended);
    };
    const done = await reconcile({ ...dependencies, found }, { until, now });
    return { done, healthy, kinds };
  };
}

let ready: ReturnType<typeof reconcileAll> | undefined;

export const handler = (event: ReconcileEvent, context: Context): Promise<ReconcileAnswer> =>
  inRun({ endpoint: 'reconcile', function_request_id: context.awsRequestId }, () => {
    ready ??= reconcileAll({ ...reconcileDependencies(readEnvironment(process.env)), found: reportFinding });
    return ready(event, context);
  });
