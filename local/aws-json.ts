import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import dynalite from 'dynalite';
import { CallerEnded, type Faults, withFaults } from './faults.ts';
import { mergedHeaders, readBody } from './http-event.ts';
import { close } from './listen.ts';
import { authenticate, Refusal, type Secrets, sha256 } from './sigv4.ts';
import { mendIndexes, type TableSchema } from './table-indexes.ts';
import type { Template } from './template.ts';

type Answer = { readonly status: number; readonly headers: Record<string, string>; readonly body: Buffer };
type Call = (target: string, body: Buffer, headers: Record<string, string>) => Promise<Answer>;

// DynamoDB's own limit of one request.
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const API = 'DynamoDB_20120810';

const json = (status: number, value: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: Buffer.from(JSON.stringify(value)),
});

/**
 * Calls dynalite without a socket between: it ends the process when a client leaves in the middle of a request,
 * as a killed function does, so it only ever sees whole ones.
 */
function callEngine(engine: RequestListener): Call {
  return (target, body, headers) =>
    new Promise((resolve) => {
      const sent = { ...headers, 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' };
      const request = Object.assign(Readable.from([body]), { method: 'POST', url: '/', headers: sent });
      const answered: Record<string, string> = {};
      const response = {
        statusCode: 200,
        setHeader: (name: string, value: unknown) => {
          answered[name] = String(value);
        },
        end: (text = '') =>
          resolve({ status: response.statusCode, headers: answered, body: Buffer.from(text) }),
      };
      engine(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    });
}

/** An operation of DynamoDB, for ourselves. */
const sender = (call: Call) => async (operation: string, request: object) => {
  // dynalite wants to see a signature, and believes any.
  const headers = {
    authorization: 'AWS4-HMAC-SHA256 Credential=local, SignedHeaders=host, Signature=local',
    'x-amz-date': '20300101T000000Z',
  };
  const answer = await call(`${API}.${operation}`, Buffer.from(JSON.stringify(request)), headers);
  const body = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  if (answer.status === 200 || String(body['__type']).endsWith('ResourceInUseException')) return body;
  throw new Error(`${operation} failed: ${answer.body}`);
};

/** Makes the template's tables where they are missing, and mends those that are there. */
async function openTables(template: Template, call: Call): Promise<void> {
  const send = sender(call);
  for (const { id, properties } of template.resources<TableSchema>('AWS::DynamoDB::Table')) {
    const { AttributeDefinitions, KeySchema, LocalSecondaryIndexes } = properties;
    const schema = { AttributeDefinitions, KeySchema, LocalSecondaryIndexes };
    const made = await send('CreateTable', { TableName: id, BillingMode: 'PAY_PER_REQUEST', ...schema });
    if (!('TableDescription' in made)) await mendIndexes(id, schema, send);
  }
}

type SecretProperties = {
  readonly SecretString?: string;
  readonly GenerateSecretString?: {
    readonly SecretStringTemplate?: string;
    readonly GenerateStringKey?: string;
  };
};

/** What the stack's secrets hold: the text, or the object that the template asks to be completed. */
function secretStrings(template: Template, password: string): ReadonlyMap<string, string> {
  const declared = template.resources<SecretProperties>('AWS::SecretsManager::Secret');
  return new Map(
    declared.map(({ id, properties: { SecretString, GenerateSecretString: generated } }) => {
      const { SecretStringTemplate, GenerateStringKey = 'password' } = generated ?? {};
      if (SecretStringTemplate === undefined) return [id, SecretString ?? password];
      const fields: Record<string, unknown> = JSON.parse(SecretStringTemplate);
      return [id, JSON.stringify({ ...fields, [GenerateStringKey]: password })];
    }),
  );
}

/** Secrets Manager, as far as reading a secret goes. */
function getSecretValue(secrets: ReadonlyMap<string, string>, body: Buffer): Answer {
  const { SecretId = '' } = JSON.parse(body.toString()) as { SecretId?: string };
  const id = SecretId.split(':').at(-1) ?? '';
  const SecretString = secrets.get(id);
  if (SecretString !== undefined)
    return json(200, { ARN: SecretId, Name: id, SecretString, VersionStages: ['AWSCURRENT'] });
  return json(400, { __type: 'ResourceNotFoundException', message: `there is no secret ${SecretId}` });
}

type JsonServices = {
  /** Serves both; listening is the caller's. */
  readonly server: Server;
  /** Takes no more calls, and closes the tables when those under way have ended: dynalite would crash on them. */
  close(): Promise<void>;
  start(template: Template, adminPassword: string): Promise<void>;
};

/**
 * The services that speak JSON over POST, behind one address: DynamoDB (dynalite) and Secrets Manager.
 *
 * @param path folder of the tables' files; without one they live in memory
 */
export function jsonServices(path: string | undefined, access: Secrets, faults: Faults): JsonServices {
  const server = dynalite({ createTableMs: 0, ...(path !== undefined && { path }) });
  const [engine] = server.listeners('request') as RequestListener[];
  if (engine === undefined) throw new Error('dynalite does not listen to requests');
  let last: Promise<unknown> = Promise.resolve();
  // One after the other: dynalite changes an index in two steps, and a query between them misses the item.
  const callDynamo: Call = (...call) => {
    const answer = last.then(() => callEngine(engine)(...call));
    last = answer;
    return answer;
  };
  let secrets: ReadonlyMap<string, string> = new Map();

  async function answer(request: IncomingMessage): Promise<Answer> {
    const body = (await readBody(request, MAX_REQUEST_BYTES)) ?? Buffer.alloc(0);
    const headers = mergedHeaders(request);
    const query = new URLSearchParams();
    const method = request.method ?? 'POST';
    const caller = authenticate({ method, path: '/', query, headers, payloadHash: sha256(body) }, access);
    const target = headers.get('x-amz-target') ?? '';
    if (target === 'secretsmanager.GetSecretValue') return getSecretValue(secrets, body);
    const operation = target.split('.')[1] ?? '';
    return await withFaults(faults, caller, { service: 'dynamodb', operation }, () =>
      callDynamo(target, body, Object.fromEntries(headers)),
    );
  }

  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request)
      .catch((error: unknown): Answer => {
        if (!(error instanceof Refusal)) throw error;
        const type = error.status === 500 ? 'InternalServerError' : 'UnrecognizedClientException';
        return json(error.status, {
          __type: `com.amazonaws.dynamodb.v20120810#${type}`,
          message: error.message,
        });
      })
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
      .catch((error: unknown) =>
        response.destroy(error instanceof CallerEnded ? undefined : Error(String(error))),
      );
  });
  return {
    server,
    async close() {
      server.removeAllListeners('request');
      server.closeAllConnections();
      await last;
      await close(server);
    },
    async start(template, adminPassword) {
      secrets = secretStrings(template, adminPassword);
      await openTables(template, callDynamo);
    },
  };
}
