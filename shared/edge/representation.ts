import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import Negotiator from 'negotiator';
import { isSendable } from '../answer-limit.ts';
import { Fault } from '../domain/fault.ts';
import { gzipTag, namedEntityTag } from './entity-tag.ts';
import type { Request } from './request.ts';
import { errorResponse, type Headers, headersOnly, type Response } from './response.ts';

// Below this a network packet holds it anyway.
const WORTH_COMPRESSING_BYTES = 1024;

// Packages are compressed already; what else is bytes is left alone.
const COMPRESSIBLE = /^(text\/|application\/(json|yaml|x-yaml)\b)/;

/**
 * Gives the answer to GET or HEAD the form that the request asks for: nothing where the client has it
 * already, a part, or gzip. What must not be stored is left as it is.
 */
export function represent(request: Request, response: Response): Response {
  const { status, body } = response;
  if (status !== 200 || response.headers['cache-control'] === 'no-store') return response;
  const headers = { etag: entityTag(body), 'cache-control': 'no-cache', ...response.headers };
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) return unchanged;
  // Headers alone describe what GET is redirected to.
  if (Object.hasOwn(headers, 'content-length')) return response;
  const whole: Whole = { status, headers: { ...headers, ...variesBy(headers) }, body };
  return compressed(request, whole) ?? part(request, whole);
}

type WithTag = Headers & { readonly etag: string };
type Whole = Response & { readonly headers: WithTag };

/**
 * 304 where If-None-Match names the tag of either form.
 *
 * @param headers those of the answer without a coding, `content-type` too
 * @returns undefined where the client must get the body
 */
export function notModified(request: Request, headers: WithTag): Response | undefined {
  const etag = namedEntityTag(request.headers['if-none-match'], headers.etag);
  if (etag === undefined) return undefined;
  const { 'content-type': _, 'content-length': __, ...kept } = headers;
  return headersOnly(304, { ...kept, ...variesBy(headers), etag });
}

function entityTag(body: Response['body']): string {
  return `"${createHash('sha256').update(body).digest('hex')}"`;
}

/** Small answers vary too, so that growing changes no header. */
function variesBy(headers: Headers): Headers {
  return isCompressible(headers) ? { vary: 'Accept-Encoding' } : {};
}

const isCompressible = ({ 'content-type': type = '' }: Headers) => COMPRESSIBLE.test(type);

/** Helm sends no Accept-Encoding, and must get no gzip. */
function compressed({ headers: asked }: Request, whole: Whole): Response | undefined {
  if (!isCompressible(whole.headers)) return undefined;
  const accepted = new Negotiator({ headers: asked }).encodings(['gzip', 'identity']);
  if (!accepted.includes('gzip')) return undefined;
  const isPlainFine = accepted.includes('identity');
  const isPlainBetter =
    accepted[0] === 'identity' ||
    asked['range'] !== undefined ||
    Buffer.byteLength(whole.body) < WORTH_COMPRESSING_BYTES;
  if (isPlainFine && isPlainBetter) return undefined;
  const headers = { ...whole.headers, etag: gzipTag(whole.headers.etag), 'content-encoding': 'gzip' };
  return { ...whole, headers, body: gzipSync(whole.body) };
}

/** One range is honoured, and several are answered with the whole, as RFC 9110 (14.2) allows. */
function part({ method, headers: asked }: Request, whole: Whole): Response {
  const headers = { ...whole.headers, 'accept-ranges': 'bytes' };
  const size = Buffer.byteLength(whole.body);
  // RFC 9110, 13.1.5: by strong comparison, so a weak tag never matches; a date cannot, since no answer has one.
  const isSame = (asked['if-range'] ?? headers.etag) === headers.etag;
  const range = method === 'GET' && isSame ? parseRange(asked['range'], size) : undefined;
  if (range === undefined) return { ...whole, headers };
  const { start, end } = range;
  if (start > end) {
    const fault = new Fault('range_not_satisfiable', `there are ${size} bytes, and no such range among them`);
    return errorResponse(fault, { 'content-range': `bytes */${size}` });
  }
  const body = Buffer.from(whole.body).subarray(start, end + 1);
  // As bytes a part can take more than the whole does as text; a Range may be ignored.
  if (!isSendable(body)) return { ...whole, headers };
  return { status: 206, headers: { ...headers, 'content-range': `bytes ${start}-${end}/${size}` }, body };
}

/**
 * The first and the last byte of a Range with one range, the first after the last where it has none of them.
 * (The package range-parser refuses a suffix that is longer than the whole, which is to give the whole.)
 *
 * @returns undefined for a header that is to be ignored
 */
function parseRange(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || `${first}${last}` === '') return undefined;
  if (first === '') return { start: Math.max(0, size - Number(last)), end: size - 1 };
  if (last === '') return { start: Number(first), end: size - 1 };
  // RFC 9110, 14.1.1: a range that ends before it begins is invalid, and so ignored.
  if (Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Math.min(Number(last), size - 1) };
}
