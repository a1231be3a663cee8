import type { Act, Statement } from '../../local/roles.ts';
import type { FunctionRecord } from './recorded.ts';
import { isAllowed } from './simulator.ts';

/** The least that a policy can grant: one action on one resource, and of one condition one value. */
export type Grant = {
  readonly functionId: string;
  readonly action: string;
  readonly resource: string;
  /** `dynamodb:LeadingKeys labels`; none where the statement has no condition. */
  readonly bound: string;
};

type Bound = { readonly operator: string; readonly key: string; readonly value: string };

const listed = (values: string | readonly string[]): readonly string[] => [values].flat();

const boundsOf = ({ Condition = {} }: Statement): readonly Bound[] =>
  Object.entries(Condition).flatMap(([operator, keys]) =>
    Object.entries(keys).flatMap(([key, values]) =>
      listed(values).map((value) => ({ operator, key, value })),
    ),
  );

/** The statement with a value fewer; where it was the only one, with one that nobody asks for. */
function without(statement: Statement, { operator, key, value }: Bound): Statement {
  const { [operator]: keys = {}, ...others } = statement.Condition ?? {};
  const left = listed(keys[key] ?? []).filter((each) => each !== value);
  const values = left.length === 0 ? ['nothing'] : left;
  return { ...statement, Condition: { ...others, [operator]: { ...keys, [key]: values } } };
}

/** Whether an act needs the statement, and of its condition just this value. */
async function needs(act: Act, statement: Statement, bound: Bound | undefined): Promise<boolean> {
  if (!(await isAllowed([statement], act))) return false;
  return bound === undefined || !(await isAllowed([without(statement, bound)], act));
}

// The simulator takes a millisecond, so that what cannot be is not asked of it.
const beginsLike = (pattern: string, text: string) => text.startsWith(pattern.split('*', 1)[0] ?? '');

async function isUsed(statement: Statement, bound: Bound | undefined, acts: readonly Act[]) {
  const candidates = acts.filter(
    ({ action, resource, context }) =>
      action === statement.Action &&
      beginsLike(String(statement.Resource), resource) &&
      (bound === undefined || context[bound.key]?.some((each) => beginsLike(bound.value, each))),
  );
  for (const act of candidates) if (await needs(act, statement, bound)) return true;
  return false;
}

/** Acts that a function's policy does not allow. */
export async function refusedActs({ statements, acts }: FunctionRecord): Promise<readonly Act[]> {
  const refused: Act[] = [];
  for (const act of acts) if (!(await isAllowed(statements, act))) refused.push(act);
  return refused;
}

/**
 * What policies grant and nobody uses. The code of a function is the same whatever the settings: what it does in one
 * deployment uses the grants of its policy in others too.
 */
export async function unusedGrants(records: readonly FunctionRecord[]): Promise<readonly Grant[]> {
  const unused = new Map<string, Grant>();
  const seen = new Set<string>();
  for (const { functionId, statements } of records) {
    const acts = records
      .filter((record) => record.functionId === functionId)
      .flatMap((record) => record.acts);
    for (const statement of statements.flatMap(single)) {
      const bounds = boundsOf(statement);
      for (const bound of bounds.length === 0 ? [undefined] : bounds) {
        const id = JSON.stringify([functionId, statement, bound]);
        if (seen.has(id)) continue;
        seen.add(id);
        if (await isUsed(statement, bound, acts)) continue;
        unused.set(id, {
          functionId,
          action: String(statement.Action),
          resource: String(statement.Resource),
          bound: bound === undefined ? '' : `${bound.key} ${bound.value}`,
        });
      }
    }
  }
  return [...unused.values()];
}

/** A statement for each action and resource. */
const single = (statement: Statement): readonly Statement[] =>
  listed(statement.Action).flatMap((Action) =>
    listed(statement.Resource).map((Resource) => ({ ...statement, Action, Resource })),
  );
