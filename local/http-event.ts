import type { IncomingMessage } from 'node:http';
import { account } from './template.ts';

export type Route<Target> = {
  /** `GET /charts/{file}`, `ANY /x/{rest+}` or `$default`. */
  readonly key: string;
  readonly target: Target;
};
export type RouteMatch<Target> = {
  readonly route: Route<Target>;
  readonly parameters: Readonly<Record<string, string>>;
};

// Of two routes that match, the one whose first differing segment ranks lower wins.
const RANKS = { static: '0', variable: '1', greedy: '2' } as const;

/** @returns the path's parameters and its rank among matching routes, or nothing when it does not match */
function matchPath(pattern: string, path: string) {
  const wanted = pattern.split('/').slice(1);
  const given = path.split('/').slice(1);
  const parameters: Record<string, string> = {};
  let rank = '';
  for (const [index, segment] of wanted.entries()) {
    const [, name, greedy] = /^\{([^+}]+)(\+?)\}$/.exec(segment) ?? [];
    const text = greedy ? given.slice(index).join('/') : given[index];
    if (text === undefined || (name !== undefined && text === '')) return undefined;
    if (name === undefined && decodeURIComponent(text) !== segment) return undefined;
    if (name !== undefined) parameters[name] = decodeURIComponent(text);
    rank += name === undefined ? RANKS.static : greedy ? RANKS.greedy : RANKS.variable;
    if (greedy) return { parameters, rank };
  }
  return given.length === wanted.length ? { parameters, rank } : undefined;
}

/**
 * Picks the route of a request: a full match before a greedy one, literal segments before variables from left
 * to right, the method before `ANY`, and `$default` when nothing matches.
 *
 * @param path as it was sent: an encoded slash does not part segments
 * @throws URIError for a path that cannot be decoded
 */
export function selectRoute<Target>(
  routes: readonly Route<Target>[],
  method: string,
  path: string,
): RouteMatch<Target> | undefined {
  const matches = routes.flatMap((route) => {
    const [routeMethod, pattern] = route.key.split(' ');
    if (pattern === undefined || (routeMethod !== method && routeMethod !== 'ANY')) return [];
    const match = matchPath(pattern, path);
    const rank = `${match?.rank}${routeMethod === 'ANY' ? 1 : 0}`;
    return match === undefined ? [] : [{ route, parameters: match.parameters, rank }];
  });
  const greedy = (rank: string) => (rank.includes(RANKS.greedy) ? 1 : 0);
  matches.sort((a, b) => greedy(a.rank) - greedy(b.rank) || (a.rank < b.rank ? -1 : 1));
  const fallback = routes.find(({ key }) => key === '$default');
  return matches[0] ?? (fallback && { route: fallback, parameters: {} });
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
const isText = (contentType: string) =>
  /^(text\/.*|application\/(json|xml|javascript))$/.test(
    contentType.split(';')[0]?.trim().toLowerCase() ?? '',
  );

/** Adds what the gateway adds and takes away what belongs to the connection. @returns the cookies */
function rewriteHeaders(headers: Map<string, string>, request: IncomingMessage, bodyBytes: number) {
  const sender = request.socket.remoteAddress ?? '127.0.0.1';
  const cookies = headers.get('cookie')?.split(/[;,]\s*/);
  if (headers.has('transfer-encoding')) headers.set('content-length', String(bodyBytes));
  for (const name of ['cookie', 'connection', 'transfer-encoding', 'keep-alive', 'expect'])
    headers.delete(name);
  headers.set('x-forwarded-for', [headers.get('x-forwarded-for'), sender].filter(Boolean).join(', '));
  headers.set('x-forwarded-proto', 'http');
  headers.set('x-forwarded-port', String(request.socket.localPort));
  return cookies;
}

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
  const headers = mergedHeaders(request);
  const [path = '/', ...query] = (request.url ?? '/').split('?');
  const rawQueryString = query.join('?');
  const rawPath = decodeURIComponent(path);
  const cookies = rewriteHeaders(headers, request, body.length);
  const parameters = merge(new URLSearchParams(rawQueryString));
  const asText = isText(headers.get('content-type') ?? '');
  const host = headers.get('host') ?? 'localhost';
  const now = new Date();
  return {
    version: '2.0',
    routeKey: match.route.key,
    rawPath,
    rawQueryString,
    cookies,
    headers: Object.fromEntries(headers),
    queryStringParameters: someOf(Object.fromEntries(parameters)),
    requestContext: {
      accountId: account,
      apiId: 'local',
      domainName: host,
      domainPrefix: host.split('.')[0],
      http: {
        method: request.method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress,
        userAgent: headers.get('user-agent') ?? '',
      },
      requestId,
      routeKey: match.route.key,
      stage: '$default',
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    pathParameters: someOf(match.parameters),
    body: body.length === 0 ? undefined : body.toString(asText ? 'utf8' : 'base64'),
    isBase64Encoded: body.length > 0 && !asText,
  };
}
