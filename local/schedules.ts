import type { LambdaFunction } from './functions.ts';
import { region, type Template } from './template.ts';

type RuleProperties = {
  readonly ScheduleExpression?: string;
  readonly State?: string;
  readonly Targets?: readonly { readonly Arn: string; readonly Input?: string }[];
};

const UNITS_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

// Timers know no longer times; what is rarer than every 24 days comes every 24 days.
const MOST_MS = 2 ** 31 - 1;

/** @throws for `cron(…)`, which is not imitated here */
function readRate(expression: string): number {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs !== undefined) return Math.min(Number(count) * unitMs, MOST_MS);
  throw new Error(`the local runner does not know the schedule ${expression}`);
}

const scheduledEvent = () =>
  JSON.stringify({
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    time: new Date().toISOString(),
    region,
    detail: {},
  });

/**
 * Invokes the targets of the template's EventBridge rules at their rate, counted from now. What fails is logged
 * and not tried again before its time.
 *
 * @param functionAt the function of an ARN
 * @returns what ends that
 */
export function startSchedules(
  template: Template,
  functionAt: (arn: string) => Pick<LambdaFunction, 'invoke'>,
): () => void {
  const timers: NodeJS.Timeout[] = [];
  for (const { properties } of template.resources<RuleProperties>('AWS::Events::Rule')) {
    const { ScheduleExpression: expression, State: state, Targets: targets = [] } = properties;
    if (expression === undefined || state === 'DISABLED') continue;
    for (const { Arn, Input } of targets) {
      const { invoke } = functionAt(Arn);
      timers.push(setInterval(() => void invoke(Input ?? scheduledEvent()), readRate(expression)));
    }
  }
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
