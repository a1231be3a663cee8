import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Caller } from '../domain/access.ts';
import { type AccountName, parseAccountName } from '../domain/account.ts';
import type { By } from '../domain/audit.ts';
import { type ChartName, parseChartName } from '../domain/chart-name.ts';
import { Fault } from '../domain/fault.ts';
import { parseRepository, type Repository } from '../domain/repository.ts';
import { LIBRARY_CHARTS } from '../routes.ts';
import { matchPath } from './match-path.ts';

/** An HTTP request in our terms. */
export type Request = {
  readonly method: string;
  /** Decoded by the gateway; as the routes have it, without {@link basePath}. */
  readonly path: string;
  /** What stands before the path in the client's URL; empty for nothing. */
  readonly basePath: string;
  /** Decoded by the gateway; read them with {@link pathParameter}. */
  readonly parameters: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** The gateway took the body for text: bytes that are not UTF-8 were destroyed on the way. */
  readonly bodyIsText: boolean;
  /** What the answer, the log and the audit call this request: by the client's word, if it has one. */
  readonly id: string;
  /** What the gateway calls it, which no client chooses. */
  readonly gatewayId: string;
  /** Where it came from, as the gateway saw it. */
  readonly address: string;
};

/** Whether a request changes nothing. */
export const isRead = ({ method }: Pick<Request, 'method'>): boolean => method === 'GET' || method === 'HEAD';

/** Longer or stranger ones could break log lines and headers. */
const SANE_REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Turns an event of API Gateway (payload format 2.0) into a request.
 *
 * @param contextPath what stands before the paths of the routes in clients' URLs
 */
export function readRequest(event: APIGatewayProxyEventV2, contextPath = ''): Request {
  const headers = lowerCaseNames(event.headers);
  const text = event.body ?? '';
  const given = headers['x-request-id'] ?? '';
  const gatewayId = event.requestContext.requestId;
  return {
    method: event.requestContext.http.method,
    path: pathOf(event, contextPath),
    basePath: contextPath,
    parameters: event.pathParameters ?? {},
    query: new URLSearchParams(event.rawQueryString),
    headers,
    body: Buffer.from(text, event.isBase64Encoded ? 'base64' : 'utf8'),
    bodyIsText: text !== '' && !event.isBase64Encoded,
    id: SANE_REQUEST_ID.test(given) ? given : gatewayId,
    gatewayId,
    address: event.requestContext.http.sourceIp,
  };
}

/**
 * The path that the route was chosen by. AWS says that `rawPath` is without the base path of a custom domain; should it
 * come with one all the same, the route tells: that of the root repository has one part less than that of a
 * repository which is called like the base path.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
function pathOf({ rawPath, routeKey }: APIGatewayProxyEventV2, contextPath: string): string {
  if (contextPath === '' || !`${rawPath}/`.startsWith(`${contextPath}/`)) return rawPath;
  const path = rawPath.slice(contextPath.length) || '/';
  const [, template] = routeKey.split(' ');
  // Where no route matched, nobody can tell, and it makes little difference: all that is left to say is 404 or 405.
  return template === undefined || matchPath(template, path) !== undefined ? path : rawPath;
}

function lowerCaseNames(headers: APIGatewayProxyEventV2['headers']): Request['headers'] {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/**
 * A parameter of the path, as one part of a path: an encoded slash or dots would let it name something
 * else than what the route says.
 *
 * @throws Fault `invalid_request`
 */
export function pathParameter({ parameters }: Request, name: string): string {
  const text = parameters[name] ?? '';
  if (text === '' || text === '.' || text === '..' || /[/\\\p{Cc}]/u.test(text)) {
    throw new Fault('invalid_request', `${JSON.stringify(text)} cannot be a ${name} in a path`);
  }
  return text;
}

// Where Harbor's own API has charts.
const HARBOR_CHARTS = '/api/chartrepo/';

/** Whether somebody asks at Harbor's address, so that they get Harbor's answer where ours is another. */
export const isAtHarbors = ({ path }: Pick<Request, 'path'>): boolean => path.startsWith(HARBOR_CHARTS);

/** First parts of paths that no repository can be called: what is below one and no route of its own is not there. */
const OURS = new Set(['api', 'chartrepo']);

/**
 * The repository that the path names; the root repository where the route has no segments.
 *
 * @throws Fault `invalid_repository`
 */
export function repositoryOf({
  method,
  parameters,
  path,
}: Pick<Request, 'method' | 'parameters' | 'path'>): Repository {
  const { segment1, segment2, segment3 } = parameters;
  if (path === LIBRARY_CHARTS && method === 'POST') return parseRepository(['library']);
  // Our own say why.
  if (OURS.has(segment1 ?? '') && !path.startsWith('/-/')) throw new Fault('not_found', 'not found');
  return parseRepository([segment1, segment2, segment3].filter((segment) => segment !== undefined));
}

// As many as the audit can be asked for. A longer name would make a key that DynamoDB refuses, and no index be done.
export const MOST_NAME_CHARACTERS = 256;

/** As whom the audit tells of the sender of a request. */
export function senderOf(
  { id: requestId, address }: Pick<Request, 'id' | 'address'>,
  { name = 'anyone', kind }: Pick<Caller, 'name' | 'kind'>,
): By {
  return { account: name.slice(0, MOST_NAME_CHARACTERS), kind, address, requestId };
}

/** @throws Fault `invalid_request` or `invalid_name` */
export function chartNameOf(request: Request): ChartName {
  return parseChartName(pathParameter(request, 'name'));
}

/** @throws Fault `invalid_request` */
export function accountNameOf(request: Request): AccountName {
  return parseAccountName(pathParameter(request, 'account'));
}

/**
 * The number of a project's member.
 *
 * @throws Fault `invalid_request`
 */
export function memberNumberOf(request: Request): number {
  const text = pathParameter(request, 'member');
  if (/^\d{1,10}$/.test(text)) return Number(text);
  throw new Fault('invalid_request', `${JSON.stringify(text.slice(0, 80))} is not the number of a member`);
}

/**
 * The body as JSON.
 *
 * @param what what the client is to send, for the refusal
 * @throws Fault `invalid_request`
 */
export function readJson({ body }: Request, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString());
  } catch (cause) {
    throw new Fault('invalid_request', `the body is no JSON: send ${what} as a JSON object`, { cause });
  }
}

/**
 * How many things a page is to have, by `limit`.
 *
 * @param most how many it may have, and has where the client does not say
 * @throws Fault `invalid_request`
 */
export function pageLimit(query: URLSearchParams, most: number): number {
  const text = query.get('limit');
  if (text === null) return most;
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new Fault(
    'invalid_request',
    `limit is a number from 1 to ${most}, not ${JSON.stringify(text.slice(0, 80))}`,
  );
}

/** The media type of the body in lower case, without parameters; empty if the client did not say. */
export function mediaTypeOf({ headers }: Request): string {
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  return type.trim().toLowerCase();
}
