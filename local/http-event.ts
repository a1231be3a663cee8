import type { IncomingMessage } from 'node:http';
import { account } from './template.ts';

export type Route<Target> = {
  /** `GET /charts/{file}` or `$default`. */
  readonly key: string;
  readonly target: Target;
};
type RouteMatch<Target> = {
  readonly route: Route<Target>;
  readonly parameters: Readonly<Record<string, string>>;
};

/** @returns the path's parameters and its rank among matching routes, or nothing when it does not match */
function matchPath(pattern: string, path: string) {
  const wanted = pattern.split('/');
  const given = path.split('/').map(decodeURIComponent);
  if (given.length !== wanted.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, segment] of wanted.entries()) {
    const [, name] = /^\{([^+}]+)\}$/.exec(segment) ?? [];
    const text = given[index] ?? '';
    if (name === undefined ? text !== segment : text === '') return undefined;
    if (name !== undefined) parameters[name] = text;
  }
  // Of two routes that match, the one that is literal where they first differ wins.
  return { parameters, rank: wanted.map((segment) => (segment.startsWith('{') ? 1 : 0)).join('') };
}

/**
 * Picks the route of a request: literal segments before variables from left to right, and `$default` when nothing
 * matches. An encoded slash does not part segments. `ANY` and greedy variables are not imitated.
 *
 * @throws URIError for a path that cannot be decoded
 */
export function selectRoute<Target>(
  routes: readonly Route<Target>[],
  { method, url = '/' }: IncomingMessage,
): RouteMatch<Target> | undefined {
  const [path = '/'] = url.split('?');
  const matches = routes.flatMap((route) => {
    const [routeMethod, pattern = ''] = route.key.split(' ');
    const match = routeMethod === method ? matchPath(pattern, path) : undefined;
    return match === undefined ? [] : [{ route, ...match }];
  });
  const [best] = matches.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  const fallback = routes.find(({ key }) => key === '$default');
  return best ?? (fallback && { route: fallback, parameters: {} });
}

/**
 * Reads a request's body to its end, as the gateway does before it answers anything.
 *
 * @returns nothing when there were more than `most` bytes, of which none are kept
 */
export async function readBody(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > most) chunks = [];
    else chunks.push(chunk);
  }
  return sizeBytes > most ? undefined : Buffer.concat(chunks);
}

/** Joins values of the same name by commas, as the gateway does with headers and parameters alike. */
function merge(pairs: Iterable<readonly [string, string]>): Map<string, string> {
  const merged = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = merged.get(name);
    merged.set(name, before === undefined ? value : `${before},${value}`);
  }
  return merged;
}

/** A request's headers, names in lower case. Node's own `headers` drops some that are repeated. */
export function mergedHeaders({ rawHeaders }: IncomingMessage): Map<string, string> {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return merge(names.map((name, index) => [name.toLowerCase(), rawHeaders[2 * index + 1] ?? '']));
}

/** Whether the gateway takes a body for text. What is not valid UTF-8 in it is lost. */
const isText = (contentType = '') =>
  /^(text\/[^;]*|application\/(json|xml|javascript))\s*(;|$)/i.test(contentType.trim());

/** The gateway leaves out what is empty. */
const someOf = (values: Readonly<Record<string, string>>) =>
  Object.keys(values).length > 0 ? values : undefined;

/**
 * Builds the event of payload format 2.0.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function httpEvent(
  request: IncomingMessage,
  match: RouteMatch<unknown>,
  body: Buffer,
  requestId: string,
) {
  const { method, socket, httpVersion, url = '/' } = request;
  const [path = '/', ...query] = url.split('?');
  const rawQueryString = query.join('?');
  const rawPath = decodeURIComponent(path);
  const headers = mergedHeaders(request);
  const asText = isText(headers.get('content-type'));
  if (headers.has('transfer-encoding')) headers.set('content-length', String(body.length));
  for (const name of ['connection', 'transfer-encoding', 'keep-alive', 'expect']) headers.delete(name);
  headers.set('x-forwarded-proto', 'http');
  headers.set('x-forwarded-port', String(socket.localPort));
  return {
    version: '2.0',
    routeKey: match.route.key,
    rawPath,
    rawQueryString,
    headers: Object.fromEntries(headers),
    queryStringParameters: someOf(Object.fromEntries(merge(new URLSearchParams(rawQueryString)))),
    requestContext: {
      accountId: account,
      apiId: 'local',
      domainName: headers.get('host') ?? 'localhost',
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${httpVersion}`,
        sourceIp: socket.remoteAddress,
        userAgent: headers.get('user-agent') ?? '',
      },
      requestId,
      routeKey: match.route.key,
      stage: '$default',
      timeEpoch: Date.now(),
    },
    pathParameters: someOf(match.parameters),
    body: body.length === 0 ? undefined : body.toString(asText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !asText,
  };
}
