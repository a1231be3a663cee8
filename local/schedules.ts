import { randomUUID } from 'node:crypto';
import type { LambdaFunction } from './functions.ts';
import { account, nameInArn, region, type Template } from './template.ts';

type RuleProperties = {
  readonly ScheduleExpression?: string;
  readonly State?: string;
  readonly Targets?: readonly { readonly Arn: string; readonly Input?: string }[];
};

const UNIT_MS = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

// Timers know no longer times; what is rarer than every 24 days comes every 24 days.
const MOST_MS = 2 ** 31 - 1;

/** @throws for `cron(…)`, which is not imitated here */
function readRate(expression: string): number {
  const [, count, unit] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  if (unit === 'minute' || unit === 'hour' || unit === 'day') {
    return Math.min(Number(count) * UNIT_MS[unit], MOST_MS);
  }
  throw new Error(`the local runner does not know the schedule ${expression}`);
}

const scheduledEvent = (rule: string) => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account,
  time: new Date().toISOString(),
  region,
  resources: [`arn:aws:events:${region}:${account}:rule/${rule}`],
  detail: {},
});

/**
 * Invokes the targets of the template's EventBridge rules at their rate, counted from now. What fails is logged
 * and not tried again before its time. @returns what ends that
 */
export function startSchedules(
  template: Template,
  functions: ReadonlyMap<string, Pick<LambdaFunction, 'invoke'>>,
): () => void {
  const timers: NodeJS.Timeout[] = [];
  for (const { id, properties } of template.resources<RuleProperties>('AWS::Events::Rule')) {
    const { ScheduleExpression: expression, State: state, Targets: targets = [] } = properties;
    if (expression === undefined || state === 'DISABLED') continue;
    for (const { Arn, Input } of targets) {
      const target = functions.get(nameInArn(Arn));
      if (target === undefined) throw new Error(`there is no function ${Arn}`);
      const invoke = () => void target.invoke(Input ?? JSON.stringify(scheduledEvent(id)));
      timers.push(setInterval(invoke, readRate(expression)));
    }
  }
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
