import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LambdaFunction } from './functions.ts';
import { httpEvent, type Route, readBody, selectRoute } from './http-event.ts';
import { nameInArn, type Template } from './template.ts';

// Limits of AWS: an HTTP API's request, a Lambda function's event and its answer.
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_EVENT_BYTES = 6 * 1024 * 1024;
const MAX_ANSWER_BYTES = 6 * 1024 * 1024;

type FunctionAnswer = {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
};

export type Routes = readonly Route<LambdaFunction>[];

/** The table of routes that a template's API declares, with the function behind each. */
export function routesOf(template: Template, functionAt: (arn: string) => LambdaFunction): Routes {
  type Integration = { readonly IntegrationUri: string };
  type Declared = { readonly RouteKey: string; readonly Target: string };
  const integrations = new Map(
    template
      .resources<Integration>('AWS::ApiGatewayV2::Integration')
      .map(({ id, properties }) => [id, properties.IntegrationUri]),
  );
  return template.resources<Declared>('AWS::ApiGatewayV2::Route').map(({ properties }) => {
    const uri = integrations.get(nameInArn(properties.Target)) ?? '';
    return { key: properties.RouteKey, target: functionAt(uri) };
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
  const answer = value?.statusCode ? value : { statusCode: 200, headers: json, body: payload };
  const { statusCode = 200, headers: given = {}, isBase64Encoded = false } = answer as FunctionAnswer;
  const body = Buffer.from(answer.body ?? '', isBase64Encoded ? 'base64' : 'utf8');
  const headers = new Map(Object.entries(given).map(([name, text]) => [name.toLowerCase(), String(text)]));
  if (body.length > 0 && !headers.has('content-type'))
    headers.set('content-type', 'text/plain;charset=UTF-8');
  // A HEAD answer tells the length of the body that GET would have; everywhere else the gateway counts.
  if (request.method !== 'HEAD' || !headers.has('content-length')) {
    headers.set('content-length', String(body.length));
  }
  if (statusCode === 204 || statusCode === 304) headers.delete('content-length');
  response.writeHead(statusCode, Object.fromEntries(headers));
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Handles one request from the body's first byte to the answer's last. */
async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  routes: Routes | undefined,
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader('apigw-requestid', requestId);
  const body = await readBody(request, MAX_REQUEST_BYTES);
  if (body === undefined) return answerItself(response, 413, 'Request Entity Too Large');
  if (routes === undefined) return answerItself(response, 503, 'Service Unavailable');
  const match = selectRoute(routes, request);
  if (match === undefined) return answerItself(response, 404, 'Not Found');
  const event = JSON.stringify(httpEvent(request, match, body, requestId));
  if (Buffer.byteLength(event) > MAX_EVENT_BYTES)
    return answerItself(response, 413, 'Request Entity Too Large');
  const invocation = await match.route.target.invoke(event);
  if (invocation.outcome === 'error' || Buffer.byteLength(invocation.payload) > MAX_ANSWER_BYTES) {
    return answerItself(response, 500, 'Internal Server Error');
  }
  send(request, response, invocation.payload);
}

/**
 * Imitates an HTTP API with Lambda proxy integrations of payload format 2.0; without its patience of 30 s, which
 * no timeout of a function exceeds, and without cookies.
 *
 * @param stack has no routes while it starts
 */
export function gateway(stack: { readonly routes: Routes | undefined }) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response, stack.routes).catch((error: unknown) => {
      // A path like %zz; or the client left, or a function answered what is no answer.
      if (error instanceof URIError) answerItself(response, 400, 'Bad Request');
      else if (!response.headersSent) answerItself(response, 500, 'Internal Server Error');
    });
  };
}
