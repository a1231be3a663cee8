import { afterEach, beforeEach, expect, inject, it, vi } from 'vitest';
import { startSchedules } from '../../local/schedules.ts';
import { readAssembly } from '../../local/template.ts';
import { writeAssembly } from './assembly.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Runs a template's schedules for some hours. @returns which functions were invoked */
async function invokedWithin(assembly: string, hours: number): Promise<string[]> {
  const template = readAssembly(assembly, 'http://api.invalid');
  const invoked: string[] = [];
  const functions = new Map(
    template.resources('AWS::Lambda::Function').map(({ id }) => [
      id,
      {
        invoke: async () => {
          invoked.push(id);
          return { outcome: 'answer', payload: 'null' } as const;
        },
      },
    ]),
  );
  const stop = startSchedules(template, functions);
  await vi.advanceTimersByTimeAsync(hours * 3_600_000);
  stop();
  await vi.advanceTimersByTimeAsync(3_600_000);
  return invoked;
}

it('the repositories are reconciled once an hour, until the stack stops', async () => {
  const invoked = await invokedWithin(inject('assemblies').open, 3);
  expect(invoked).toEqual(Array(3).fill(expect.stringMatching(/^reconcile/)));
});

it('a schedule that is not imitated is refused, not left out', async () => {
  const rule = { Type: 'AWS::Events::Rule', Properties: { ScheduleExpression: 'cron(0 3 * * ? *)' } };
  const assembly = writeAssembly({ functions: {}, routes: {}, resources: { Nightly: rule } });
  await expect(invokedWithin(assembly, 1)).rejects.toThrow('does not know the schedule "cron(0 3');
});
