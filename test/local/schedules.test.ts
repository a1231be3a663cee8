import { afterEach, describe, expect, it, vi } from 'vitest';
import { startSchedules } from '../../local/schedules.ts';
import { readAssembly } from '../../local/template.ts';
import { writeAssembly } from './assembly.ts';

type Target = { readonly Arn: object; readonly Input?: string };

const sweeper = { 'Fn::GetAtt': ['Sweeper', 'Arn'] };

/** Starts the schedule of one rule. @returns the events that its function received */
function start(properties: { ScheduleExpression?: string; State?: string; Targets?: readonly Target[] }) {
  vi.useFakeTimers();
  const resources = { Rule: { Type: 'AWS::Events::Rule', Properties: properties } };
  const template = readAssembly(writeAssembly({ functions: { Sweeper: '' }, resources }));
  const events: unknown[] = [];
  const invoke = async (event: string) => {
    events.push(JSON.parse(event));
    return { outcome: 'answer', payload: 'null' } as const;
  };
  return { events, stop: startSchedules(template, () => ({ invoke })) };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('a scheduled rule', () => {
  it.each([
    { expression: 'rate(1 minute)', minutes: 1 },
    { expression: 'rate(90 minutes)', minutes: 90 },
    { expression: 'rate(6 hours)', minutes: 6 * 60 },
    { expression: 'rate(1 day)', minutes: 24 * 60 },
  ])('invokes its target at $expression, until it is stopped', ({ expression, minutes }) => {
    const { events, stop } = start({ ScheduleExpression: expression, Targets: [{ Arn: sweeper }] });
    vi.advanceTimersByTime(minutes * 60_000 - 1);
    expect(events).toEqual([]);
    vi.advanceTimersByTime(1 + minutes * 60_000);
    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
    expect(events).toMatchObject([event, event]);
    stop();
    vi.advanceTimersByTime(10 * minutes * 60_000);
    expect(events).toHaveLength(2);
  });

  it("gives its targets' own input to them", () => {
    const Targets = [{ Arn: sweeper, Input: '{"dryRun":true}' }];
    const { events } = start({ ScheduleExpression: 'rate(1 minute)', Targets });
    vi.advanceTimersByTime(60_000);
    expect(events).toEqual([{ dryRun: true }]);
  });

  it.each([{ ScheduleExpression: 'rate(1 minute)', State: 'DISABLED' }, {}])(
    'may be none: %o',
    (properties) => {
      const { events } = start({ ...properties, Targets: [{ Arn: sweeper }] });
      vi.advanceTimersByTime(3_600_000);
      expect(events).toEqual([]);
    },
  );

  it.each(['cron(0 12 * * ? *)', 'rate(soon)'])('keeps the stack from starting with %s', (expression) => {
    const run = () => start({ ScheduleExpression: expression, Targets: [{ Arn: sweeper }] });
    expect(run).toThrow(`does not know the schedule ${expression}`);
  });
});
