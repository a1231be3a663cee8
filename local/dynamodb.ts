import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { bind, close } from './listen.ts';
import { mendIndexes, type TableSchema } from './table-indexes.ts';
import type { Template } from './template.ts';
import { type Ask, transactWrite } from './transactions.ts';

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

export type DynamoDb = {
  call(headers: ReadonlyMap<string, string>, body: Buffer): Promise<Answer>;
  /** Closes the tables when the calls under way have ended: dynalite would crash on them. */
  close(): Promise<void>;
};

/** LevelDB would begin a new database over the files of one that has lost its `CURRENT`, and remove them. */
function refuseHeadless(folder: string): void {
  const files = existsSync(folder) ? readdirSync(folder).toSorted() : [];
  const current = path.join(folder, 'CURRENT');
  const manifest = (existsSync(current) && readFileSync(current, 'utf8').trim()) || undefined;
  if (!files.some((file) => /\.(ldb|log)$/.test(file)) || files.includes(manifest ?? '')) return;
  const newest = files.findLast((file) => file.startsWith('MANIFEST-'));
  const missing = manifest === undefined ? current : path.join(folder, manifest);
  const back =
    manifest === undefined && newest ? `make it again (echo ${newest} > ${current})` : 'put it back';
  const way = `${back}, or move the folder away and do npm run repair`;
  throw new Error(`${missing} is missing, without which the table cannot be read: ${way}`);
}

/**
 * DynamoDB, by dynalite, which keeps its tables in LevelDB. It is called without a socket between: it ends the
 * process when a client leaves in the middle of a request, as a killed function does, so it only ever sees whole
 * ones.
 *
 * @param folder of the tables' files @default they live in memory
 * @throws for a folder that has lost a file without which the others are worth nothing
 */
export function openDynamoDb(folder: string | undefined): DynamoDb {
  if (folder !== undefined) refuseHeadless(folder);
  const server = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  const [engine] = server.listeners('request') as RequestListener[];
  const answerOf = (headers: ReadonlyMap<string, string>, body: Buffer) =>
    new Promise<Answer>((resolve) => {
      const call = { method: 'POST', url: '/', headers: Object.fromEntries(headers) };
      const request = Object.assign(Readable.from([body]), call);
      const answered: Record<string, string> = {};
      const response = {
        statusCode: 200,
        setHeader: (name: string, value: unknown) => {
          answered[name.toLowerCase()] = String(value);
        },
        end: (text = '') => resolve({ status: response.statusCode, headers: answered, body: text }),
      };
      engine?.(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    });
  let closed = false;
  let turn: Turn = { kind: 'write', begin: Promise.resolve(), end: Promise.resolve() };
  /** Runs a call with all others of its kind that came since the last one of another kind, and after that one. */
  const inTurn = async (kind: Kind, run: () => Promise<Answer>): Promise<Answer> => {
    if (kind !== turn.kind || kind === 'transaction') turn = { kind, begin: turn.end, end: turn.end };
    const answer = turn.begin.then(run);
    // It keeps no answer: each end is held by the next one.
    turn.end = Promise.allSettled([turn.end, answer]).then(() => undefined);
    return await answer;
  };
  return {
    async call(headers, body) {
      if (closed) throw new Error('the tables are closed');
      const [, operation = ''] = headers.get('x-amz-target')?.split('.') ?? [];
      const ask: Ask = (other, request) =>
        answerOf(named(headers, other), Buffer.from(JSON.stringify(request)));
      const kind = kindOf(operation);
      return await inTurn(kind, () =>
        kind === 'transaction' ? transactWrite(ask, body) : answerOf(headers, body),
      );
    },
    async close() {
      closed = true;
      await turn.end;
      await bind(server, '127.0.0.1', 0); // it closes its tables only with a server that listens
      await close(server);
    },
  };
}

type Kind = 'write' | 'read' | 'transaction' | 'other';

/** Calls that may run at the same time, and when the first may begin and the last has ended. */
type Turn = { readonly kind: Kind; readonly begin: Promise<unknown>; end: Promise<unknown> };

/**
 * dynalite changes an item and its place in an index in two steps, and a query between them misses the item. So what
 * reads and what writes take turns; writes of one item it puts in a row itself.
 */
function kindOf(operation: string): Kind {
  if (/^(Put|Update|Delete)Item$/.test(operation)) return 'write';
  if (/^(GetItem|Query|Scan)$/.test(operation)) return 'read';
  return operation === 'TransactWriteItems' ? 'transaction' : 'other';
}

/** The headers of a call, for another operation. */
function named(headers: ReadonlyMap<string, string>, operation: string): ReadonlyMap<string, string> {
  const kept = [...headers].filter(([name]) => name !== 'content-length');
  return new Map([...kept, ['x-amz-target', `DynamoDB_20120810.${operation}`]]);
}

/** Makes the template's tables where they are missing, and mends those that are there. @returns their names */
export async function openTables(template: Template, { call }: DynamoDb): Promise<string[]> {
  const send = async (operation: string, request: object) => {
    const headers = new Map([
      ['x-amz-target', `DynamoDB_20120810.${operation}`],
      ['content-type', 'application/x-amz-json-1.0'],
      // dynalite wants to see a signature, and believes any.
      ['authorization', 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local'],
      ['x-amz-date', '20300101T000000Z'],
    ]);
    const { status, body = '' } = await call(headers, Buffer.from(JSON.stringify(request)));
    if (status === 200 || body.includes('ResourceInUseException')) return JSON.parse(body);
    throw new Error(`${operation} failed: ${body}`);
  };
  const declared = template.resources<TableSchema>('AWS::DynamoDB::Table');
  for (const { id, properties } of declared) {
    const { AttributeDefinitions, KeySchema, LocalSecondaryIndexes } = properties;
    const schema = { AttributeDefinitions, KeySchema, LocalSecondaryIndexes };
    const made = await send('CreateTable', { TableName: id, BillingMode: 'PAY_PER_REQUEST', ...schema });
    if (!('TableDescription' in made)) await mendIndexes(id, schema, send);
  }
  return declared.map(({ id }) => id);
}
