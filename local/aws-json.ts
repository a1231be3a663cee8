import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DynamoDBClient,
  type DynamoDBClientConfig,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { CallerEnded, type Faults, withFaults } from './faults.ts';
import { mergedHeaders } from './http-event.ts';
import { close } from './listen.ts';
import { authenticate, Refusal, type Secrets, sha256 } from './sigv4.ts';
import type { Template } from './template.ts';

type Answer = { readonly status: number; readonly headers: Record<string, string>; readonly body: string };

const TYPE = { 'content-type': 'application/x-amz-json-1.0' };
const json = (status: number, value: unknown): Answer => ({
  status,
  headers: TYPE,
  body: JSON.stringify(value),
});

/**
 * Calls dynalite without a socket between: it ends the process when a client leaves in the middle of a request,
 * as a killed function does, so it only ever sees whole ones.
 */
const callEngine = (engine: RequestListener | undefined, headers: Record<string, string>, body: Buffer) =>
  new Promise<Answer>((resolve) => {
    const call = { method: 'POST', url: '/', headers: { ...headers, ...TYPE } };
    const request = Object.assign(Readable.from([body]), call);
    const answered: Record<string, string> = {};
    const response = {
      statusCode: 200,
      setHeader: (name: string, value: unknown) => {
        answered[name] = String(value);
      },
      end: (text = '') => resolve({ status: response.statusCode, headers: answered, body: text }),
    };
    engine?.(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });

/** Makes the template's tables where they are missing. */
export async function createTables(template: Template, config: DynamoDBClientConfig): Promise<void> {
  const client = new DynamoDBClient(config);
  for (const { id, properties } of template.resources<CreateTableCommandInput>('AWS::DynamoDB::Table')) {
    const { AttributeDefinitions, KeySchema, LocalSecondaryIndexes } = properties;
    const schema = { AttributeDefinitions, KeySchema, LocalSecondaryIndexes };
    const table = { TableName: id, BillingMode: 'PAY_PER_REQUEST', ...schema } as const;
    await client.send(new CreateTableCommand(table)).catch((error: unknown) => {
      if (!(error instanceof ResourceInUseException)) throw error;
    });
  }
  client.destroy();
}

type SecretProperties = {
  readonly GenerateSecretString: {
    readonly SecretStringTemplate: string;
    readonly GenerateStringKey: string;
  };
};

/** What the stack's secrets hold: the object that the template asks to be completed. */
function secretStrings(template: Template, password: string): ReadonlyMap<string, string> {
  const declared = template.resources<SecretProperties>('AWS::SecretsManager::Secret');
  return new Map(
    declared.map(({ id, properties: { GenerateSecretString: generated } }) => {
      const fields: Record<string, unknown> = JSON.parse(generated.SecretStringTemplate);
      return [id, JSON.stringify({ ...fields, [generated.GenerateStringKey]: password })];
    }),
  );
}

/** Secrets Manager, as far as reading a secret goes. */
function getSecretValue(secrets: ReadonlyMap<string, string>, body: Buffer): Answer {
  const { SecretId = '' } = JSON.parse(body.toString()) as { SecretId?: string };
  const SecretString = secrets.get(SecretId.split(':').at(-1) ?? '');
  if (SecretString !== undefined) return json(200, { ARN: SecretId, SecretString });
  return json(400, { __type: 'ResourceNotFoundException', message: `there is no secret ${SecretId}` });
}

type JsonOptions = {
  readonly template: Template;
  readonly adminPassword: string;
  /** Folder of the tables' files. @default they live in memory */
  readonly folder: string | undefined;
  readonly secrets: Secrets;
  readonly faults: Faults;
};

type JsonServices = {
  /** Serves both; listening is the caller's. */
  readonly server: Server;
  /** Takes no more calls, and closes the tables when those under way have ended: dynalite would crash on them. */
  close(): Promise<void>;
};

/** The services that speak JSON over POST, behind one address: DynamoDB (dynalite) and Secrets Manager. */
export function jsonServices(options: JsonOptions): JsonServices {
  const { template, adminPassword, folder, secrets, faults } = options;
  const server = dynalite({ createTableMs: 0, ...(folder !== undefined && { path: folder }) });
  const [engine] = server.listeners('request') as RequestListener[];
  const strings = secretStrings(template, adminPassword);
  const underWay = new Set<Promise<unknown>>();

  async function answer(request: IncomingMessage): Promise<Answer> {
    const body = await buffer(request);
    const headers = mergedHeaders(request);
    const signed = { method: 'POST', path: '/', query: new URLSearchParams(), headers };
    const caller = authenticate({ ...signed, payloadHash: sha256(body) }, secrets);
    const [service, operation = ''] = headers.get('x-amz-target')?.split('.') ?? [];
    if (service === 'secretsmanager') return getSecretValue(strings, body);
    return await withFaults(faults, caller, { service: 'dynamodb', operation }, async () => {
      const call = callEngine(engine, Object.fromEntries(headers), body);
      underWay.add(call);
      return await call.finally(() => underWay.delete(call));
    });
  }

  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request)
      .catch((error: unknown): Answer => {
        if (!(error instanceof Refusal)) throw error;
        const type = error.status === 500 ? 'InternalServerError' : 'UnrecognizedClientException';
        return json(error.status, { __type: type, message: error.message });
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
      await Promise.all(underWay);
      await close(server);
    },
  };
}
