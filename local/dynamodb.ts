import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { bind, close } from './listen.ts';
import type { Template } from './template.ts';

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

export type DynamoDb = {
  call(headers: ReadonlyMap<string, string>, body: Buffer): Promise<Answer>;
  /** Closes the tables when the calls under way have ended: dynalite would crash on them. */
  close(): Promise<void>;
};

/**
 * DynamoDB, by dynalite, which keeps its tables in LevelDB. It is called without a socket between: it ends the
 * process when a client leaves in the middle of a request, as a killed function does, so it only ever sees whole
 * ones.
 *
 * @param folder of the tables' files @default they live in memory
 */
export function openDynamoDb(folder: string | undefined): DynamoDb {
  const server = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  const [engine] = server.listeners('request') as RequestListener[];
  const underWay = new Set<Promise<unknown>>();
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
  return {
    async call(headers, body) {
      if (closed) throw new Error('the tables are closed');
      const answer = answerOf(headers, body);
      underWay.add(answer);
      return await answer.finally(() => underWay.delete(answer));
    },
    async close() {
      closed = true;
      await Promise.all(underWay);
      await bind(server, '127.0.0.1', 0); // it closes its tables only with a server that listens
      await close(server);
    },
  };
}

type TableProperties = {
  readonly AttributeDefinitions: unknown;
  readonly KeySchema: unknown;
  readonly LocalSecondaryIndexes?: unknown;
};

/** Makes the template's tables where they are missing. @returns their names */
export async function createTables(template: Template, { call }: DynamoDb): Promise<string[]> {
  const declared = template.resources<TableProperties>('AWS::DynamoDB::Table');
  const headers = new Map([
    ['x-amz-target', 'DynamoDB_20120810.CreateTable'],
    ['content-type', 'application/x-amz-json-1.0'],
    // dynalite wants to see a signature, and believes any.
    ['authorization', 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local'],
    ['x-amz-date', '20300101T000000Z'],
  ]);
  for (const { id, properties } of declared) {
    const { AttributeDefinitions, KeySchema, LocalSecondaryIndexes } = properties;
    const schema = { AttributeDefinitions, KeySchema, LocalSecondaryIndexes };
    const table = { TableName: id, BillingMode: 'PAY_PER_REQUEST', ...schema };
    const { status, body = '' } = await call(headers, Buffer.from(JSON.stringify(table)));
    const there = body.includes('ResourceInUseException');
    if (status !== 200 && !there) throw new Error(`table ${id} cannot be made: ${body}`);
  }
  return declared.map(({ id }) => id);
}
