import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

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

export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** Who sent a request: an access key and, from one of our functions, the environment it runs in. */
export type Caller = { readonly accessKeyId: string; readonly environment: string | undefined };

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
const MAX_EXPIRY_SECONDS = 7 * 24 * 3600;

export const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

/** RFC 3986: everything but the unreserved characters is encoded. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Signs a text within a credential's scope, `<access key>/<date>/<region>/<service>/aws4_request`. */
function signatureOf(text: string, credential: string, secretAccessKey: string): string {
  const [, date = '', region = '', service = '', end = ''] = credential.split('/');
  const key = [date, region, service, end].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, text).toString('hex');
}

/** Parses AWS's basic ISO format, `20300102T030405Z`. @returns NaN for anything else */
const parseAmzDate = (text: string) =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** Compares a signature with the one that the secret gives, and tells unknown keys apart. */
export function checkSignature(given: string, text: string, credential: string, secrets: Secrets): string {
  const accessKeyId = credential.split('/')[0] ?? '';
  const secret = secrets(accessKeyId);
  if (secret === undefined) throw new Refusal(403, 'InvalidAccessKeyId', 'The access key does not exist.');
  const wanted = Buffer.from(signatureOf(text, credential, secret));
  if (given.length !== wanted.length || !timingSafeEqual(Buffer.from(given), wanted)) {
    throw new Refusal(
      403,
      'SignatureDoesNotMatch',
      'The calculated signature does not match the one provided.',
    );
  }
  return accessKeyId;
}

/** @returns the secret of an access key, or nothing for an unknown one */
export type Secrets = (accessKeyId: string) => string | undefined;

/** The parts of a signature, from the `Authorization` header or from the query of a presigned URL. */
function readSignature({ headers, query }: SignedRequest) {
  const authorization = headers.get('authorization');
  if (query.has('X-Amz-Signature')) {
    return {
      credential: query.get('X-Amz-Credential') ?? '',
      signedHeaders: query.get('X-Amz-SignedHeaders') ?? '',
      signature: query.get('X-Amz-Signature') ?? '',
      date: query.get('X-Amz-Date') ?? '',
      expiresInSeconds: Number(query.get('X-Amz-Expires') ?? Number.NaN),
    };
  }
  if (authorization === undefined) throw new Refusal(403, 'AccessDenied', 'Access Denied');
  const part = (name: string) => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? '';
  if (!authorization.startsWith('AWS4-HMAC-SHA256 ')) {
    throw new Refusal(400, 'InvalidArgument', 'Unsupported Authorization Type');
  }
  return {
    credential: part('Credential'),
    signedHeaders: part('SignedHeaders'),
    signature: part('Signature'),
    date: headers.get('x-amz-date') ?? '',
    expiresInSeconds: undefined,
  };
}

function checkTime(date: string, expiresInSeconds: number | undefined): void {
  const age = Date.now() - parseAmzDate(date);
  if (expiresInSeconds === undefined) {
    if (!(Math.abs(age) <= MAX_SKEW_MS))
      throw new Refusal(403, 'RequestTimeTooSkewed', 'The time differs too much.');
    return;
  }
  if (!(expiresInSeconds > 0 && expiresInSeconds <= MAX_EXPIRY_SECONDS) || Number.isNaN(age)) {
    throw new Refusal(400, 'AuthorizationQueryParametersError', 'X-Amz-Expires or X-Amz-Date is not valid.');
  }
  if (age > expiresInSeconds * 1000) throw new Refusal(403, 'AccessDenied', 'Request has expired');
}

/**
 * Checks a request's Signature Version 4. Written anew, not with the SDK's signer, so that a mistake there
 * cannot hide itself.
 *
 * @throws Refusal as S3 words it
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function authenticate(request: SignedRequest, secrets: Secrets): Caller {
  const { credential, signedHeaders, signature, date, expiresInSeconds } = readSignature(request);
  checkTime(date, expiresInSeconds);
  const query = [...request.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort();
  const header = (name: string) =>
    `${name}:${(request.headers.get(name) ?? '').trim().replace(/ +/g, ' ')}\n`;
  const canonical = [
    request.method,
    request.path.split('/').map(decodeURIComponent).map(encode).join('/'),
    query.join('&'),
    signedHeaders.split(';').map(header).join(''),
    signedHeaders,
    request.payloadHash,
  ].join('\n');
  const scope = credential.split('/').slice(1).join('/');
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const accessKeyId = checkSignature(signature, text, credential, secrets);
  return { accessKeyId, environment: request.headers.get('x-amz-security-token') };
}
