import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import type { ServerCertificate } from './certificates.ts';
import { type Cors, corsHeaders, isPreflight } from './cors.ts';
import type { LambdaFunction } from './functions.ts';
import { mergedHeaders } from './headers.ts';
import { nameInArn, type Template } from './template.ts';

// Limits of AWS: an HTTP API's request, and a Lambda function's event and answer.
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

// The first byte of a connection over TLS (RFC 8446, 5.1), and of no HTTP method.
const TLS_HANDSHAKE = 22;

const HTTPS_ONLY = 'this port speaks HTTPS: begin the address with https://';

/** What is answered to Node's errors; to the others, 400. */
const UNREADABLE: Readonly<Record<string, readonly [status: number, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large'],
};

type FunctionAnswer = {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
};

type Route = {
  /** `GET /charts/{file}` or `$default`. */
  readonly key: string;
  /** Matches method and path. */
  readonly pattern: RegExp;
  readonly target: LambdaFunction;
};

type Match = { readonly route: Route; readonly parameters: Readonly<Record<string, string>> };

/** The routes of an API, those with a literal segment before those with a variable in its place. */
export type Routes = readonly Route[];

/**
 * The routes that a template's API declares, with the function behind each. `ANY` and greedy variables are not
 * imitated.
 */
export function routesOf(template: Template, functionAt: (arn: string) => LambdaFunction): Routes {
  type Integration = { readonly IntegrationUri: string };
  type Declared = { readonly RouteKey: string; readonly Target: string };
  const integrations = new Map(
    template
      .resources<Integration>('AWS::ApiGatewayV2::Integration')
      .map(({ id, properties }) => [id, properties.IntegrationUri]),
  );
  return template
    .resources<Declared>('AWS::ApiGatewayV2::Route')
    .map(({ properties: { RouteKey: key, Target } }) => {
      const literal = key.replaceAll(/[.$]/g, '\\$&');
      const pattern = new RegExp(`^${literal.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`);
      return { key, pattern, target: functionAt(integrations.get(nameInArn(Target)) ?? '') };
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1)); // a brace comes after the letters
}

/**
 * Picks the route of a request, `$default` when no other matches. An encoded slash does not part segments.
 *
 * @throws URIError for a path that cannot be decoded
 */
function selectRoute(routes: Routes, { method, url = '/' }: IncomingMessage): Match | undefined {
  const [path] = url.split('?');
  for (const route of routes) {
    const found = route.pattern.exec(`${method} ${path}`);
    if (found === null) continue;
    const given = Object.entries(found.groups ?? {});
    return { route, parameters: Object.fromEntries(given.map(([k, v]) => [k, decodeURIComponent(v)])) };
  }
  const fallback = routes.find(({ key }) => key === '$default');
  return fallback && { route: fallback, parameters: {} };
}

/** Whether the gateway takes a body for text. What is not valid UTF-8 in it is lost. */
const isText = (contentType = '') =>
  /^(text\/[^;]*|application\/(json|xml|javascript))\s*(;|$)/i.test(contentType.trim());

/** Parameters of the same name are joined by commas, as headers are. */
const mergedParameters = (query: URLSearchParams) =>
  Object.fromEntries([...query.keys()].map((name) => [name, query.getAll(name).join(',')]));

/** The gateway leaves out what is empty. */
const someOf = (values: Readonly<Record<string, string>>) =>
  Object.keys(values).length > 0 ? values : undefined;

/**
 * Builds the event of payload format 2.0, without cookies.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
function httpEvent(
  request: IncomingMessage,
  { route: { key: routeKey }, parameters }: Match,
  body: Buffer,
  requestId: string,
) {
  const { method, socket, httpVersion, url = '/' } = request;
  const [path = '/', ...query] = url.split('?');
  const rawQueryString = query.join('?');
  const rawPath = decodeURIComponent(path);
  const headers = mergedHeaders(request);
  const asText = isText(headers.get('content-type'));
  const userAgent = headers.get('user-agent') ?? '';
  if (headers.has('transfer-encoding')) headers.set('content-length', String(body.length));
  for (const name of ['connection', 'transfer-encoding', 'keep-alive', 'expect']) headers.delete(name);
  headers.set('x-forwarded-proto', socket instanceof TLSSocket ? 'https' : 'http');
  const http = { method, path: rawPath, protocol: `HTTP/${httpVersion}`, sourceIp: socket.remoteAddress };
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString,
    headers: Object.fromEntries(headers),
    queryStringParameters: someOf(mergedParameters(new URLSearchParams(rawQueryString))),
    requestContext: {
      domainName: headers.get('host') ?? 'localhost',
      http: { ...http, userAgent },
      requestId,
      routeKey,
      stage: '$default',
    },
    pathParameters: someOf(parameters),
    body: body.length === 0 ? undefined : body.toString(asText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !asText,
  };
}

/** The gateway's own answers are `{"message": …}`, unlike ours. */
function answerItself(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}

/** Answers what never became a request. */
function answerRaw(socket: Duplex, status: number, reason: string, message = reason): void {
  const body = JSON.stringify({ message });
  const headers = `content-type: application/json\r\ncontent-length: ${body.length}\r\nconnection: close`;
  socket.end(`HTTP/1.1 ${status} ${reason}\r\n${headers}\r\n\r\n${body}`);
}

/** Answers what came too slowly, or is no HTTP. */
function answerUnreadable({ code }: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy(); // nobody is there any more
  answerRaw(socket, ...(UNREADABLE[code ?? ''] ?? ([400, 'Bad Request'] as const)));
}

/** Sends what a function returned. */
function send(request: IncomingMessage, response: ServerResponse, payload: string): void {
  const { statusCode, headers = {}, body, isBase64Encoded } = JSON.parse(payload) as FunctionAnswer;
  response.statusCode = statusCode;
  if (body) response.setHeader('content-type', 'text/plain;charset=UTF-8');
  for (const [name, value] of Object.entries(headers)) {
    // A HEAD answer tells the length of the body that GET would have; everywhere else it is counted.
    const isCounted = name.toLowerCase() === 'content-length' && request.method !== 'HEAD';
    if (!isCounted) response.setHeader(name, value);
  }
  response.end(Buffer.from(body ?? '', isBase64Encoded ? 'base64' : 'utf8'));
}

/** Has no routes while it starts. */
type Stack = { readonly routes: Routes | undefined; readonly cors: Cors };

/** Handles one request from the body's first byte to the answer's last. */
async function handle(request: IncomingMessage, response: ServerResponse, stack: Stack): Promise<void> {
  const { routes, cors } = stack;
  const requestId = randomUUID();
  response.setHeader('apigw-requestid', requestId);
  const body = await buffer(request);
  if (body.length > MAX_REQUEST_BYTES) return answerItself(response, 413, 'Request Entity Too Large');
  if (routes === undefined) return answerItself(response, 503, 'Service Unavailable');
  const headers = corsHeaders(request, cors.api);
  if (cors.api !== undefined && isPreflight(request)) return void response.writeHead(204, headers).end();
  const match = selectRoute(routes, request);
  if (match === undefined) return answerItself(response, 404, 'Not Found');
  const event = JSON.stringify(httpEvent(request, match, body, requestId));
  if (Buffer.byteLength(event) > MAX_PAYLOAD_BYTES)
    return answerItself(response, 413, 'Request Entity Too Large');
  const invocation = await match.route.target.invoke(event);
  if (invocation.outcome === 'error' || Buffer.byteLength(invocation.payload) > MAX_PAYLOAD_BYTES) {
    return answerItself(response, 500, 'Internal Server Error');
  }
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  send(request, response, invocation.payload);
}

/** Tells those who speak plain HTTP to a server of TLS, which would hang up without a word. */
function answerPlain(server: Server, timeoutMs: number): void {
  const handshakes = server.listeners('connection');
  server.removeAllListeners('connection').on('connection', (socket: Socket) => {
    const leave = () => void socket.destroy();
    socket.on('error', leave).setTimeout(timeoutMs, leave);
    socket.once('data', (beginning) => {
      if (beginning[0] !== TLS_HANDSHAKE) return answerRaw(socket, 400, 'Bad Request', HTTPS_ONLY);
      socket.off('error', leave).off('timeout', leave).setTimeout(0).pause().unshift(beginning);
      for (const handshake of handshakes) handshake.call(server, socket);
    });
  });
}

type GatewayOptions = {
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs?: number | undefined;
  /** Whom it is over TLS; without, it is not. */
  readonly certificate?: ServerCertificate | undefined;
};

/**
 * Imitates an HTTP API with Lambda proxy integrations of payload format 2.0; without its patience of 30 s, which
 * no timeout of a function exceeds.
 */
export function gateway(stack: Stack, options: GatewayOptions = {}): Server {
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS, certificate } = options;
  const timeouts = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1000),
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    handle(request, response, stack).catch((error: unknown) => {
      // A path like %zz; or the client left, or a function answered what is no answer.
      if (error instanceof URIError) answerItself(response, 400, 'Bad Request');
      else if (!response.headersSent) answerItself(response, 500, 'Internal Server Error');
    });
  };
  if (certificate === undefined) return createServer(timeouts, listener).on('clientError', answerUnreadable);
  const { key, cert } = certificate;
  const secure = createSecureServer({ ...timeouts, handshakeTimeout: requestTimeoutMs, key, cert }, listener);
  answerPlain(secure, requestTimeoutMs);
  return secure.on('clientError', answerUnreadable);
}
