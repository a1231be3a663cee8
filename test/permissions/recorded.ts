import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { indexer } from '../../infra/functions.ts';
import type { Act, Statement } from '../../local/roles.ts';
import { logicalPrefix } from '../infra/synthesize.ts';

/** What a function may do in a template, and what it did in all stacks that ran with that. */
export type FunctionRecord = {
  readonly functionId: string;
  readonly statements: readonly Statement[];
  readonly acts: readonly Act[];
};

/**
 * Reads what the stacks of a test run noted (local/recorded-acts.ts). Stacks that a test made up, to see what the
 * runner does with them, are no Chartroom: without the indexer.
 *
 * @returns a record for each function and each policy that it had
 */
export function readRecorded(folder: string): readonly FunctionRecord[] {
  const records = new Map<string, { statements: readonly Statement[]; acts: Map<string, Act> }>();
  for (const file of readdirSync(folder)) {
    const [first = '{}', ...lines] = readFileSync(path.join(folder, file), 'utf8').trimEnd().split('\n');
    const policies = JSON.parse(first) as Readonly<Record<string, readonly Statement[]>>;
    if (!Object.keys(policies).some((id) => id.startsWith(logicalPrefix(indexer)))) continue;
    const keyOf = (id: string) => `${id} ${JSON.stringify(policies[id])}`;
    for (const [id, statements] of Object.entries(policies)) {
      if (!records.has(keyOf(id))) records.set(keyOf(id), { statements, acts: new Map() });
    }
    for (const line of lines) {
      const { functionId, act } = JSON.parse(line) as { functionId: string; act: Act };
      records.get(keyOf(functionId))?.acts.set(JSON.stringify(act), act);
    }
  }
  return [...records].map(([key, { statements, acts }]) => ({
    functionId: key.slice(0, key.indexOf(' ')),
    statements,
    acts: [...acts.values()],
  }));
}
