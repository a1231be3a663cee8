import type { Answer } from './dynamodb.ts';

/** Asks the table for one operation; nobody else is heard meanwhile. */
export type Ask = (operation: string, request: object) => Promise<Answer>;

type Item = Readonly<Record<string, unknown>>;
type Write = { readonly TableName: string; readonly Item?: Item; readonly Key?: Item };
type Undo = { readonly operation: 'PutItem' | 'DeleteItem'; readonly request: object };

const OPERATIONS = ['Put', 'Delete', 'Update'] as const;

const parse = ({ body = '' }: Answer) => JSON.parse(String(body)) as Record<string, unknown>;

/**
 * `TransactWriteItems`, which dynalite does not have: its writes one after the other, and back if one is refused.
 * The end of the process in between leaves a part of them.
 */
export async function transactWrite(ask: Ask, body: Buffer): Promise<Answer> {
  const { TransactItems: items } = JSON.parse(body.toString()) as {
    TransactItems: readonly Partial<Record<(typeof OPERATIONS)[number], Write>>[];
  };
  const undos: Undo[] = [];
  for (const [position, item] of items.entries()) {
    const kind = OPERATIONS.find((each) => item[each] !== undefined);
    const write = kind && item[kind];
    if (write === undefined) throw new Error(`a transaction of ${Object.keys(item)} is not imitated`);
    const answer = await ask(`${kind}Item`, { ...write, ReturnValues: 'ALL_OLD' });
    if (answer.status !== 200) {
      for (const { operation, request } of undos.toReversed()) await ask(operation, request);
      return cancelled(answer, position, items.length);
    }
    undos.push(await undoOf(ask, write, parse(answer)['Attributes']));
  }
  return { status: 200, body: '{}' };
}

async function undoOf(ask: Ask, { TableName, Item, Key }: Write, before: unknown): Promise<Undo> {
  if (before !== undefined) return { operation: 'PutItem', request: { TableName, Item: before } };
  const { Table: table } = parse(await ask('DescribeTable', { TableName })) as {
    Table: { KeySchema: readonly { AttributeName: string }[] };
  };
  const names = table.KeySchema.map(({ AttributeName }) => AttributeName);
  const key = Key ?? Object.fromEntries(names.map((name) => [name, Item?.[name]]));
  return { operation: 'DeleteItem', request: { TableName, Key: key } };
}

function cancelled(refusal: Answer, position: number, count: number): Answer {
  const { __type: type } = parse(refusal);
  if (!String(type).endsWith('ConditionalCheckFailedException')) return refusal;
  const reasons = Array.from({ length: count }, (_, each) => ({
    Code: each === position ? 'ConditionalCheckFailed' : 'None',
  }));
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`;
  return {
    status: refusal.status,
    body: JSON.stringify({
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      Message: message,
      CancellationReasons: reasons,
    }),
  };
}
