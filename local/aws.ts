import type { IncomingMessage, ServerResponse } from 'node:http';
import { actsOnDynamoDb, actsOnS3, toGetSecret, toList } from './acts.ts';
import { type Body, receive } from './body.ts';
import { type Cors, corsHeaders, isPreflight } from './cors.ts';
import type { Answer, DynamoDb } from './dynamodb.ts';
import { CallerEnded, type Faults, type StoreCall, withFaults } from './faults.ts';
import type { FileStretch } from './file-stretch.ts';
import { mergedHeaders } from './headers.ts';
import type { Act, Roles } from './roles.ts';
import type { Bucket, S3Answer } from './s3-bucket.ts';
import { xml } from './s3-xml.ts';
import { authenticate, Refusal, type Secrets } from './sigv4.ts';

/** What stands behind the services; what is not there yet answers 503 or 404. */
export type Services = {
  readonly bucket?: Bucket | undefined;
  readonly dynamoDb?: DynamoDb | undefined;
  /** What Secrets Manager holds, by logical id. */
  readonly secretStrings: ReadonlyMap<string, string>;
  /** Lambda. */
  invoke(functionName: string, payload: unknown): Promise<unknown>;
  /** Sends dead letters once more. @returns how many */
  redrive(): Promise<number>;
  readonly cors: Cors;
  readonly secrets: Secrets;
  /** Lets its bearer invoke functions, and redrive. */
  readonly secret: string;
  readonly faults: Faults;
  /** Told of each call to a store, whatever becomes of it; one by a presigned URL is its signer's. */
  readonly onCall?: ((call: StoreCall) => void) | undefined;
  /** Whether the bearer of an access key may do something. */
  readonly may: Roles;
  /** Whether an `Authorization` header beside a presigned query is ignored; real S3 refuses the two. */
  readonly tolerateHeader: boolean;
};

type Call = {
  readonly method: string;
  /** As it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Body;
};

const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

/** Of ours: the real one names queues, of which this computer has but one with dead letters. */
export const redrivePath = '/redrive';

/** Lambda's `Invoke`. Any other path is answered too: that tells who asks that the stack is there. */
async function callLambda(services: Services, { path, body }: Call): Promise<Answer> {
  const [, name] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path) ?? [];
  if (name === undefined) return json(null);
  try {
    return json(await services.invoke(decodeURIComponent(name), JSON.parse(body.bytes.toString())));
  } catch (error) {
    const errorMessage = error instanceof Error ? error.message : String(error);
    return json({ errorMessage }, { 'x-amz-function-error': 'Unhandled' });
  }
}

/** Secrets Manager, as far as reading a secret goes. */
function getSecretValue({ secretStrings }: Services, { body }: Call): Answer {
  const { SecretId = '' } = JSON.parse(body.bytes.toString()) as { SecretId?: string };
  const SecretString = secretStrings.get(SecretId.split(':').at(-1) ?? '');
  if (SecretString !== undefined) return json({ ARN: SecretId, SecretString });
  throw new Refusal(400, 'ResourceNotFoundException', `there is no secret ${SecretId}`);
}

/** Checks what was signed of a body, which is held in memory: charts and indexes are far smaller than S3 allows. */
function payloadHashOf({ headers, query, body }: Call): string {
  const given = headers.get('x-amz-content-sha256') ?? query.get('X-Amz-Content-Sha256');
  if (given === undefined || given === null) return headers.has('x-amz-target') ? body.sha256 : UNSIGNED;
  if (given === UNSIGNED || given === body.sha256) return given;
  // Chunks with signatures of their own come here too: no client of ours sends them.
  throw new Refusal(400, 'XAmzContentSHA256Mismatch', 'The body is not the one that was signed.');
}

const UNSIGNED = 'UNSIGNED-PAYLOAD';

async function callS3(services: Services, call: Call): Promise<S3Answer> {
  const { method, path, query, headers, body } = call;
  const { bucket, secrets, faults, tolerateHeader } = services;
  const [, bucketName = '', ...segments] = path.split('/');
  const key = segments.map(decodeURIComponent).join('/');
  const request = { key, query, headers, body };
  const [operation = 'unknown', run] = bucket?.operation(method, request) ?? [];
  if (query.has('X-Amz-Signature') && headers.has('authorization') && !tolerateHeader) {
    throw new Refusal(400, 'InvalidArgument', 'Only one auth mechanism allowed');
  }
  // A form brings its signature in its fields; the bucket checks it with the policy.
  const isForm = operation === 'PostObject';
  const caller = isForm ? undefined : authenticate({ ...call, payloadHash: payloadHashOf(call) }, secrets);
  if (caller !== undefined) services.onCall?.({ service: 's3', operation, caller: caller.accessKeyId, key });
  if (bucket?.name !== bucketName) throw new Refusal(404, 'NoSuchBucket', `There is no ${bucketName} here.`);
  if (run === undefined) throw new Refusal(501, 'NotImplemented', 'This local S3 does not do that.');
  const may = (act: Act) => caller === undefined || services.may(caller.accessKeyId, act);
  for (const act of actsOnS3({ ...request, operation, bucket: bucketName })) {
    if (!may(act)) throw new Refusal(403, 'AccessDenied', `${caller?.accessKeyId} may not ${said(act)}`);
  }
  return await withFaults(faults, caller, { service: 's3', operation, key }, async () => run(request)).catch(
    (error: unknown) => {
      if (!(error instanceof Refusal) || error.code !== 'NoSuchKey' || may(toList(bucketName, key)))
        throw error;
      throw new Refusal(403, 'AccessDenied', `${caller?.accessKeyId} may not hear that ${key} is not there`);
    },
  );
}

const said = ({ action, resource, context }: Act) =>
  `${action} on ${resource} with ${JSON.stringify(context)}`;

async function answer(services: Services, call: Call): Promise<S3Answer> {
  const { headers, body } = call;
  if (headers.get('authorization') === `Bearer ${services.secret}`) {
    return call.path === redrivePath ? json(await services.redrive()) : await callLambda(services, call);
  }
  const [service, operation = ''] = headers.get('x-amz-target')?.split('.') ?? [];
  if (service === undefined) return await callS3(services, call);
  const caller = authenticate({ ...call, payloadHash: payloadHashOf(call) }, services.secrets);
  const { dynamoDb, faults } = services;
  const request: object = JSON.parse(body.bytes.toString());
  const isSecret = service === 'secretsmanager';
  if (!isSecret) services.onCall?.({ service: 'dynamodb', operation, caller: caller.accessKeyId });
  for (const act of isSecret ? [toGetSecret(request)] : actsOnDynamoDb(operation, request)) {
    if (services.may(caller.accessKeyId, act)) continue;
    throw new Refusal(400, 'AccessDeniedException', `${caller.accessKeyId} may not ${said(act)}`);
  }
  if (isSecret) return getSecretValue(services, call);
  if (dynamoDb === undefined) throw new Refusal(503, 'ServiceUnavailable', 'The stack still starts.');
  return await withFaults(faults, caller, { service: 'dynamodb', operation }, () =>
    dynamoDb.call(headers, body.bytes),
  );
}

/** An error in the words of its service: S3's are XML. */
function refusal(error: unknown, isJson: boolean): Answer {
  const { status, code, message } =
    error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
  if (isJson) return { ...json({ __type: code, message }), status };
  const headers = { 'content-type': 'application/xml' };
  return { status, headers, body: xml('Error', { Code: code, Message: message }) };
}

/** Sends an object's bytes, each piece when the one before it is on its way. */
async function send(response: ServerResponse, body: FileStretch): Promise<void> {
  const left = new Promise<true>((resolve) => response.once('close', () => resolve(true)));
  for await (const piece of body) {
    const failed = new Promise<unknown>((resolve) => response.write(piece, resolve));
    if (await Promise.race([failed, left])) return;
  }
  response.end();
}

async function handle(services: Services, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = 'GET', url = '/' } = request;
  const cors = corsHeaders(request, services.cors.bucket);
  if (services.cors.bucket !== undefined && isPreflight(request)) {
    return void response.writeHead('access-control-allow-origin' in cors ? 200 : 403, cors).end();
  }
  const [path = '/', query = ''] = url.split('?', 2);
  const headers = mergedHeaders(request);
  const call = { method, path, query: new URLSearchParams(query), headers, body: await receive(request) };
  const answered = await answer(services, call).catch((error: unknown) => {
    if (error instanceof CallerEnded) throw error;
    return refusal(error, headers.has('x-amz-target'));
  });
  const { status, headers: given, body = '' } = answered;
  const counted = typeof body === 'string' && { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...counted, ...cors, ...given });
  if (typeof body !== 'string') await send(response, body);
  else response.end(method === 'HEAD' ? undefined : body);
}

/**
 * The services of AWS behind one address: S3 with path-style addressing, DynamoDB, Secrets Manager, and Lambda for
 * the bearer of a secret. What a function may do is what its role says.
 */
export function aws(services: Services) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    handle(services, request, response).catch(() => response.destroy()); // nobody is there to answer
  };
}
