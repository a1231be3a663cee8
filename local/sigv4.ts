import { createHash, createHmac } from 'node:crypto';

/** What a store's front refuses: the service's status, error code and message. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Who sent a request: an access key and, from one of our functions, the environment it runs in. */
export type Caller = { readonly accessKeyId: string; readonly environment: string | undefined };

/** @returns the secret of an access key, or nothing for an unknown one */
export type Secrets = (accessKeyId: string) => string | undefined;

type SignedRequest = {
  readonly method: string;
  /** As it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: ReadonlyMap<string, string>;
  /** What the signature covers of the body: its SHA-256 or one of S3's words for less. */
  readonly payloadHash: string;
};

const MAX_SKEW_MS = 15 * 60_000;

const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/** RFC 3986: everything but the unreserved characters is encoded. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Compares a signature of a text with the one that the secret gives.
 *
 * @param credential `<access key>/<date>/<region>/<service>/aws4_request`
 * @returns the access key
 */
export function checkSignature(given: string, text: string, credential: string, secrets: Secrets): string {
  const [accessKeyId = '', ...scope] = credential.split('/');
  const secret = secrets(accessKeyId);
  if (secret === undefined) throw new Refusal(403, 'InvalidAccessKeyId', 'The access key does not exist.');
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${secret}`);
  if (hmac(key, text).toString('hex') === given) return accessKeyId;
  throw new Refusal(403, 'SignatureDoesNotMatch', 'The signature does not match the calculated one.');
}

/** @param date in AWS's basic ISO format, `20300102T030405Z` */
function checkTime(date: string, expiresInSeconds: number | undefined): void {
  const iso = date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const isNear = Math.abs(Date.now() - Date.parse(iso)) <= (expiresInSeconds ?? MAX_SKEW_MS / 1000) * 1000;
  if (isNear) return;
  if (expiresInSeconds === undefined) throw new Refusal(403, 'RequestTimeTooSkewed', 'The time is off.');
  throw new Refusal(403, 'AccessDenied', 'Request has expired');
}

/**
 * Checks a request's Signature Version 4, in its `Authorization` header or in the query of a presigned URL.
 * Written anew, not with the SDK's signer, so that a mistake there cannot hide itself.
 *
 * @throws Refusal as S3 words it
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function authenticate(request: SignedRequest, secrets: Secrets): Caller {
  const { query, headers } = request;
  const presigned = query.has('X-Amz-Signature');
  const authorization = headers.get('authorization') ?? '';
  if (!presigned && !authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new Refusal(403, 'AccessDenied', 'Access Denied');
  }
  const part = (name: string) =>
    (presigned ? query.get(`X-Amz-${name}`) : new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1]) ??
    '';
  const date = presigned ? part('Date') : (headers.get('x-amz-date') ?? '');
  checkTime(date, presigned ? Number(part('Expires')) : undefined);
  const names = part('SignedHeaders').split(';');
  const canonical = [
    request.method,
    request.path.split('/').map(decodeURIComponent).map(encode).join('/'),
    [...query]
      .filter(([name]) => name !== 'X-Amz-Signature')
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${(headers.get(name) ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    request.payloadHash,
  ].join('\n');
  const scope = part('Credential').split('/').slice(1).join('/');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const accessKeyId = checkSignature(part('Signature'), text, part('Credential'), secrets);
  // Whoever holds a presigned URL calls, not the function that made it.
  return { accessKeyId, environment: presigned ? undefined : headers.get('x-amz-security-token') };
}
