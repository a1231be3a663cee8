import { AsyncLocalStorage } from 'node:async_hooks';
import type { Metric } from '../metrics.ts';

/** What a log line says beside its message; what is undefined is left out. */
export type Fields = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export type Values = Readonly<Partial<Record<Metric, number>>>;

type Run = { fields: Fields; values: Values };

// Loaded by the hot functions: nothing here writes, so nothing here needs the logger.
const runs = new AsyncLocalStorage<Run>();

/** Works on one event; each log line that is written meanwhile has these fields, wherever it comes from. */
export function inRun<Result>(fields: Fields, work: () => Promise<Result>): Promise<Result> {
  return runs.run({ fields, values: {} }, work);
}

/** Adds to the fields of all further lines. */
export function note(fields: Fields): void {
  const run = runs.getStore();
  if (run !== undefined) run.fields = { ...run.fields, ...fields };
}

/** Has the line about the request that is answered bring values of metrics along. */
export function count(values: Values): void {
  const run = runs.getStore();
  if (run !== undefined) run.values = { ...run.values, ...values };
}

export const notedFields = (): Fields => runs.getStore()?.fields ?? {};
export const countedValues = (): Values => runs.getStore()?.values ?? {};
