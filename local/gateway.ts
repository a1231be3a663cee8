import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LambdaFunction } from './functions.ts';
import { httpEvent, type Route, type RouteMatch, readBody, selectRoute } from './http-event.ts';
import { nameInArn, type Template } from './template.ts';

// Limits of AWS: an HTTP API's request, a Lambda function's event, its answer, and the wait for it.
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
const MAX_ANSWER_BYTES = 6 * 1024 * 1024;
const PATIENCE_MS = 30_000;

type FunctionAnswer = {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly cookies?: readonly string[];
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
};

/** The table of routes that a template's API declares, with the function behind each. */
export function routesOf(
  template: Template,
  functions: ReadonlyMap<string, LambdaFunction>,
): readonly Route<LambdaFunction>[] {
  const integrations = new Map(
    template
      .resources<{ readonly IntegrationUri: string }>('AWS::ApiGatewayV2::Integration')
      .map(({ id, properties }) => [id, properties.IntegrationUri]),
  );
  return template
    .resources<{ readonly RouteKey: string; readonly Target: string }>('AWS::ApiGatewayV2::Route')
    .map(({ properties: { RouteKey, Target } }) => {
      const uri = integrations.get(Target.replace('integrations/', '')) ?? '';
      const target = functions.get(nameInArn(uri.replace(/\/invocations$/, '')));
      if (target === undefined) throw new Error(`route ${RouteKey} leads to no function`);
      return { key: RouteKey, target };
    });
}

/** The gateway's own answers are `{"message": …}`, unlike ours. */
function answerItself(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}

/** Sends what a function returned, the way an HTTP API reads it. */
function send(request: IncomingMessage, response: ServerResponse, payload: string): void {
  const value = JSON.parse(payload) as FunctionAnswer | null;
  const json = { 'content-type': 'application/json' };
  const answer: FunctionAnswer = value?.statusCode
    ? value
    : { statusCode: 200, headers: json, body: payload };
  const body = Buffer.from(answer.body ?? '', answer.isBase64Encoded ? 'base64' : 'utf8');
  const headers = new Map(
    Object.entries(answer.headers ?? {}).map(([name, text]) => [name.toLowerCase(), String(text)]),
  );
  if (body.length > 0 && !headers.has('content-type'))
    headers.set('content-type', 'text/plain;charset=UTF-8');
  // A HEAD answer tells the length of the body that GET would have; everywhere else the gateway counts.
  if (request.method !== 'HEAD' || !headers.has('content-length')) {
    headers.set('content-length', String(body.length));
  }
  if (answer.statusCode === 204 || answer.statusCode === 304) headers.delete('content-length');
  if (answer.cookies?.length) response.setHeader('set-cookie', answer.cookies);
  response.writeHead(answer.statusCode ?? 200, Object.fromEntries(headers));
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Handles one request from the body's first byte to the answer's last. */
async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route<LambdaFunction>[],
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader('apigw-requestid', requestId);
  const url = request.url ?? '/';
  const body = await readBody(request, MAX_REQUEST_BYTES);
  if (body === undefined) return answerItself(response, 413, 'Request Entity Too Large');
  let match: RouteMatch<LambdaFunction> | undefined;
  let event: string;
  try {
    match = selectRoute(routes, request.method ?? 'GET', url.split('?')[0] ?? '/');
    if (match === undefined) return answerItself(response, 404, 'Not Found');
    event = JSON.stringify(httpEvent(request, match, body, requestId));
  } catch (error) {
    if (error instanceof URIError) return answerItself(response, 400, 'Bad Request'); // %zz
    throw error;
  }
  if (Buffer.byteLength(event) > MAX_EVENT_BYTES)
    return answerItself(response, 413, 'Request Entity Too Large');
  const invocation = await match.route.target.invoke(event, PATIENCE_MS);
  if (invocation.outcome === 'late') return answerItself(response, 503, 'Service Unavailable');
  if (invocation.outcome === 'error' || Buffer.byteLength(invocation.payload) > MAX_ANSWER_BYTES) {
    return answerItself(response, 500, 'Internal Server Error');
  }
  send(request, response, invocation.payload);
}

/** Imitates an HTTP API with Lambda proxy integrations of payload format 2.0. */
export function gateway(routes: () => readonly Route<LambdaFunction>[] | undefined) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const table = routes();
    if (table === undefined) {
      answerItself(response, 503, 'Service Unavailable'); // the stack still starts
      return;
    }
    handle(request, response, table).catch(() => {
      // The client left, or a function answered what is no answer.
      if (!response.headersSent) answerItself(response, 500, 'Internal Server Error');
    });
  };
}
