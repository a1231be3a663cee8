import type { LambdaFunction } from './functions.ts';
import { nameInArn, type Template } from './template.ts';

type RuleProperties = {
  readonly ScheduleExpression?: string;
  readonly Targets?: readonly { readonly Arn: string; readonly Input?: string }[];
};

const UNITS_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * Invokes functions by the clock, as the template's rules ask for.
 *
 * @returns what ends that
 * @throws for a schedule that is no `rate(…)`
 */
export function startSchedules(
  template: Template,
  functions: ReadonlyMap<string, Pick<LambdaFunction, 'invoke'>>,
): () => void {
  const timers = template.resources<RuleProperties>('AWS::Events::Rule').flatMap(({ id, properties }) => {
    const { ScheduleExpression: schedule = '', Targets: targets = [] } = properties;
    const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(schedule) ?? [];
    const everyMs = Number(count) * (UNITS_MS[unit] ?? Number.NaN);
    if (!(everyMs > 0)) throw new Error(`the local runner does not know the schedule "${schedule}" of ${id}`);
    const event = JSON.stringify({ source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} });
    return targets.map(({ Arn, Input = event }) =>
      setInterval(() => void functions.get(nameInArn(Arn))?.invoke(Input), everyMs),
    );
  });
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
