import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { matchPath } from '../../shared/edge/match-path.ts';
import { type EndpointId, fallback, type Method, type Route, routes } from '../../shared/routes.ts';

export type Sent = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

// The media types that API Gateway hands over as text.
const TEXT = /^(text\/|application\/(json|xml|javascript)\b)/i;

/**
 * An event as API Gateway sends it, and the endpoint that its route leads to.
 *
 * @param target path as a client writes it, with percent-encoding and query
 */
export function anEvent(
  method: string,
  target: string,
  { headers = {}, body }: Sent = {},
): { endpoint: EndpointId; event: APIGatewayProxyEventV2 } {
  const [path = '', query = ''] = target.split('?');
  const route = routeOf(method, path);
  const parameters = route && matchPath(route.path, path);
  const isText = TEXT.test(headers['content-type'] ?? '');
  const event: APIGatewayProxyEventV2 = {
    version: '2.0',
    routeKey: route === undefined ? '$default' : `${method} ${route.path}`,
    rawPath: decodeURIComponent(path),
    rawQueryString: query,
    headers: { host: 'charts.example.org', 'x-forwarded-proto': 'https', ...headers },
    requestContext: aContext(method, path),
    isBase64Encoded: body !== undefined && !isText,
    ...(body !== undefined && { body: Buffer.from(body).toString(isText ? 'utf8' : 'base64') }),
    ...(parameters && { pathParameters: decoded(parameters) }),
  };
  return { endpoint: route?.handler ?? fallback, event };
}

function aContext(method: string, path: string): APIGatewayProxyEventV2['requestContext'] {
  return {
    accountId: 'anonymous',
    apiId: 'api',
    domainName: 'charts.example.org',
    domainPrefix: 'charts',
    http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'Helm/3.13.0' },
    requestId: 'gateway-id=',
    routeKey: '$default',
    stage: '$default',
    time: '02/Jan/2026:03:04:05 +0000',
    timeEpoch: 1_767_323_045_678,
  };
}

const decoded = (parameters: Record<string, string>) =>
  Object.fromEntries(Object.entries(parameters).map(([name, text]) => [name, decodeURIComponent(text)]));

/** The most specific route: a literal part before a parameter, from left to right, as in API Gateway. */
function routeOf(method: string, path: string): Route | undefined {
  const literals = (route: Route) => route.path.split('/').map((part) => (part.startsWith('{') ? '1' : '0'));
  return routes
    .filter((route: Route) => route.method === (method as Method) && matchPath(route.path, path))
    .toSorted((a, b) => literals(a).join('').localeCompare(literals(b).join('')))[0];
}
