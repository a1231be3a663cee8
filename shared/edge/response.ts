import type { Fault, FaultCode } from '../domain/fault.ts';

export type Headers = Readonly<Record<string, string>>;

/** An answer. The one to HEAD is the one to GET: its body is counted and left out by {@link withoutBody}. */
export type Response = {
  readonly status: number;
  readonly headers: Headers;
  /** Text goes out as UTF-8. */
  readonly body: string | Uint8Array;
};

const jsonType = 'application/json; charset=utf-8';

export function json(status: number, value: unknown, headers: Headers = {}): Response {
  return jsonText(status, JSON.stringify(value), headers);
}

/** For JSON that is text already, so that no key of it passes through an object. */
export function jsonText(status: number, text: string, headers: Headers = {}): Response {
  return { status, headers: { 'content-type': jsonType, ...headers }, body: text };
}

export function bytes(contentType: string, body: Uint8Array, headers: Headers = {}): Response {
  return { status: 200, headers: { 'content-type': contentType, ...headers }, body };
}

export function html(body: string, headers: Headers = {}): Response {
  return { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', ...headers }, body };
}

/** 302: Helm follows it for the index, packages and provenance files alike. */
export function redirect(location: string, headers: Headers = {}): Response {
  return { status: 302, headers: { location, ...headers }, body: '' };
}

/** Headers alone: for HEAD of what a GET would be redirected to, and for 304. */
export function headersOnly(status: number, headers: Headers): Response {
  return { status, headers, body: '' };
}

/** What was deleted; Harbor says no word more. The type is what API Gateway says of an answer that has none. */
export function deleted({ atHarbors }: { readonly atHarbors: boolean }): Response {
  if (atHarbors) return headersOnly(200, { 'content-type': 'text/plain; charset=utf-8' });
  return json(200, { deleted: true });
}

/**
 * What keeps a browser from making more of an answer than it is: nothing here is framed, or taken for another type,
 * or tells others where somebody came from. What an answer says for itself counts.
 *
 * @param isHttps whether the client came by TLS, and is to go on doing so
 */
export function withSecurity(response: Response, isHttps: boolean): Response {
  const headers = {
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    // A year, and for this host alone: what else is in its domain is not ours to speak for.
    ...(isHttps ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
  return { ...response, headers: { ...headers, ...response.headers } };
}

/** What HEAD gets: the same headers, with the length of the body that is left out. */
export function withoutBody({ status, headers, body }: Response): Response {
  // RFC 9110, 8.6: in a 304 it would be the length of the body that the client has already.
  const length = status === 304 ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return { status, headers: { ...length, ...headers }, body: '' };
}

/** `code` is the word that Harbor's clients look for, by status. */
type Refusal = { readonly status: number; readonly code: string };

const badRequest: Refusal = { status: 400, code: 'BAD_REQUEST' };
const unauthorized: Refusal = { status: 401, code: 'UNAUTHORIZED' };
const notFound: Refusal = { status: 404, code: 'NOT_FOUND' };
const conflict: Refusal = { status: 409, code: 'CONFLICT' };

const refusals: Readonly<Record<FaultCode, Refusal>> = {
  invalid_request: badRequest,
  invalid_repository: badRequest,
  invalid_name: badRequest,
  invalid_version: badRequest,
  invalid_package: badRequest,
  invalid_provenance: badRequest,
  unauthorized,
  wrong_credentials: unauthorized,
  forbidden: { status: 403, code: 'FORBIDDEN' },
  too_many_failures: { status: 429, code: 'TOO_MANY_REQUESTS' },
  not_found: notFound,
  hidden: notFound,
  repository_not_found: notFound,
  repository_deleted: conflict,
  chart_not_found: notFound,
  version_not_found: notFound,
  method_not_allowed: { status: 405, code: 'METHOD_NOT_ALLOWED' },
  // RFC 9110, 15.5.6: an `Allow` goes with it, which errorResponse adds.
  deleting_is_off: { status: 405, code: 'METHOD_NOT_ALLOWED' },
  version_exists: conflict,
  provenance_exists: conflict,
  label_exists: conflict,
  being_published: conflict,
  already_exists: conflict,
  not_empty: { status: 412, code: 'PRECONDITION' },
  storage_full: { status: 507, code: 'INSUFFICIENT_STORAGE' },
  too_large: { status: 413, code: 'REQUEST_ENTITY_TOO_LARGE' },
  text_body: { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' },
  range_not_satisfiable: { status: 416, code: 'RANGE_NOT_SATISFIABLE' },
  try_again: { status: 503, code: 'SERVICE_UNAVAILABLE' },
};

/** Answers a refusal in ChartMuseum's words (`error`) and Harbor's (`errors`) at once. */
export function errorResponse(fault: Fault, headers: Headers = {}): Response {
  const { status, code } = refusals[fault.code];
  return envelope(status, code, fault.message, {
    // RFC 9110, 11.6.1: every 401 says how to authenticate; browsers and `curl --anyauth` need it.
    ...(status === 401 && { 'www-authenticate': challenges(fault) }),
    ...(fault.code === 'deleting_is_off' ? { allow: 'GET, HEAD' } : {}),
    ...(fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) }),
    ...headers,
  });
}

// Basic first: a client that reads one challenge alone understands it.
const challenges = ({ challenge }: Fault) =>
  ['Basic realm="Chartroom"', ...(challenge === undefined ? [] : [challenge])].join(', ');

/** Answers a bug of ours without detail, but for what the log calls the request. */
export function internalError(requestId: string): Response {
  const message = `internal error: tell whoever runs this Chartroom that it was request ${requestId}`;
  return envelope(500, 'UNKNOWN', message, {});
}

function envelope(status: number, code: string, message: string, headers: Headers): Response {
  return json(status, errorBody(code, message), headers);
}

const errorBody = (code: string, message: string) => ({ error: message, errors: [{ code, message }] });

/** A refusal as a part of another answer: its status, and what its body would say. */
export function refusal(fault: Fault): { status: number; error: string; errors: readonly object[] } {
  const { status, code } = refusals[fault.code];
  return { status, ...errorBody(code, fault.message) };
}
