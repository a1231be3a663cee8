import type { LocalStack } from '../local/stack.ts';
import { table } from '../shared/contract.ts';
import { hold } from './figures.ts';

/** What AWS asks money for, of some calls. */
export type Calls = {
  readonly dynamoDbCalls: number;
  /** Request units: a strong read of 4 KB is one, a write of 1 KB too, in the table and in its index. */
  readonly readUnits: number;
  readonly writeUnits: number;
  /** PUT, COPY, POST and LIST, which cost the same; a part of an upload is one of them. */
  readonly s3Puts: number;
  /** GET and HEAD. */
  readonly s3Gets: number;
  /** Calls of S3 that a function waits for; a client that was sent there makes the others. */
  readonly s3Waits: number;
  /** What goes over the network between functions and S3; not what S3 copies inside. */
  readonly bytesFromS3: number;
  readonly bytesToS3: number;
};

type Heard = Calls & { readonly caller: string };

const nothing: Calls = {
  dynamoDbCalls: 0,
  readUnits: 0,
  writeUnits: 0,
  s3Puts: 0,
  s3Gets: 0,
  s3Waits: 0,
  bytesFromS3: 0,
  bytesToS3: 0,
};

const kinds = Object.keys(nothing) as (keyof Calls)[];

/** The sum of some calls. */
export function sum(calls: readonly Calls[]): Calls {
  return calls.reduce(
    (total, each) =>
      Object.fromEntries(kinds.map((kind) => [kind, total[kind] + each[kind]])) as Record<
        keyof Calls,
        number
      >,
    nothing,
  );
}

const READS = ['GetItem', 'Query', 'BatchGetItem'];
const FREE = ['DeleteObject', 'DeleteObjects', 'AbortMultipartUpload'];
const GETS = ['GetObject', 'HeadObject'];
/** Nothing between a function and S3 carries them: S3 reads the source by itself. */
const COPIES = ['UploadPartCopy', 'CopyObject'];

/** Listens to all that the functions of a stack call, with what DynamoDB itself says that a call consumed. */
export function meter(stack: LocalStack) {
  const heard: Heard[] = [];
  const { dynamoDb, bucket } = stack;
  if (dynamoDb === undefined || bucket === undefined) throw new Error('the stack has not started');

  stack.dynamoDb = {
    ...dynamoDb,
    call: async (headers, body) => {
      const operation = headers.get('x-amz-target')?.split('.')[1] ?? '';
      const request = { ...JSON.parse(body.toString()), ReturnConsumedCapacity: 'TOTAL' };
      const bytes = Buffer.from(JSON.stringify(request));
      const lengths = new Map([...headers, ['content-length', String(bytes.length)]]);
      const answer = await dynamoDb.call(lengths, bytes);
      const units = unitsOf(operation, request, JSON.parse(String(answer.body ?? '{}')));
      heard.push({ ...nothing, caller: callerIn(headers), dynamoDbCalls: 1, ...units });
      return answer;
    },
  };

  const operationOf = bucket.operation.bind(bucket);
  bucket.operation = (method, request) => {
    const [operation, run] = operationOf(method, request) ?? [];
    if (operation === undefined || run === undefined) return undefined;
    return [
      operation,
      async (given) => {
        const answer = await run(given);
        const signer = given.query.get('X-Amz-Credential') ?? undefined;
        const isGet = GETS.includes(operation);
        const asked = {
          ...nothing,
          s3Puts: isGet || FREE.includes(operation) ? 0 : 1,
          s3Gets: isGet ? 1 : 0,
        };
        const waited = {
          s3Waits: 1,
          bytesFromS3: operation === 'GetObject' ? Number(answer.headers?.['content-length'] ?? 0) : 0,
          bytesToS3: COPIES.includes(operation) ? 0 : sizeOf(given.body.chunks),
        };
        // Whoever was sent here, or fills in a form, is a client.
        const isClient = signer !== undefined || operation === 'PostObject';
        const caller = isClient ? 'client' : callerIn(given.headers);
        heard.push({ ...asked, ...(!isClient && waited), caller });
        return answer;
      },
    ];
  };

  return {
    /** What was called while something ran, by whom a prefix of its name says. */
    async during(work: () => Promise<void>): Promise<(caller: string) => Calls> {
      heard.length = 0;
      await work();
      const all = [...heard];
      hold('there is no transaction in what is counted', !Number.isNaN(sum(all).writeUnits));
      return (caller) => sum(all.filter((each) => each.caller.startsWith(caller)));
    },
  };
}

const sizeOf = (chunks: readonly Uint8Array[]) => chunks.reduce((size, { length }) => size + length, 0);

const callerIn = (headers: ReadonlyMap<string, string>) =>
  /Credential=([^/]+)\//.exec(headers.get('authorization') ?? '')?.[1]?.toLowerCase() ?? 'client';

type Request = {
  readonly ConsistentRead?: boolean;
  readonly UpdateExpression?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
};
type Answer = { readonly ConsumedCapacity?: { readonly CapacityUnits: number } };

function unitsOf(operation: string, request: Request, { ConsumedCapacity: consumed }: Answer) {
  // The imitation does its writes one by one, and does not tell what they consume.
  if (operation === 'TransactWriteItems') return { writeUnits: Number.NaN };
  const { ConsistentRead: isStrong = false } = request;
  // What finds nothing, or is refused by its condition, costs the least there is.
  const units = consumed?.CapacityUnits ?? 0;
  if (READS.includes(operation)) return { readUnits: Math.max(units, isStrong ? 1 : 0.5) };
  // dynalite does not count the index: a mark that is set or taken away is one write more.
  return { writeUnits: Math.max(units, 1) + (consumed !== undefined && touchesMark(request) ? 1 : 0) };
}

/** An item that is deleted on condition of its mark has one. */
function touchesMark({
  UpdateExpression: update,
  ConditionExpression: condition = '',
  ExpressionAttributeNames: names = {},
}: Request): boolean {
  const name = Object.keys(names).find((each) => names[each] === table.unindexedAttribute);
  return name !== undefined && (update ?? condition.replace('attribute_not_exists', '')).includes(name);
}
