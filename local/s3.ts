import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished, pipeline } from 'node:stream/promises';
import { CallerEnded, type Faults, withFaults } from './faults.ts';
import { mergedHeaders } from './http-event.ts';
import type { Bucket, S3Answer } from './s3-bucket.ts';
import { xml } from './s3-xml.ts';
import { authenticate, type Caller, Refusal, type Secrets } from './sigv4.ts';

export type S3Options = {
  readonly buckets: () => readonly Bucket[];
  readonly secrets: Secrets;
  readonly faults: Faults;
  /** Whether an `Authorization` header beside a presigned query is ignored; real S3 refuses the two. */
  readonly tolerateHeader: boolean;
};

/** AWS's name of what a request asks for. */
function operationOf(
  method: string,
  key: string,
  query: URLSearchParams,
  headers: ReadonlyMap<string, string>,
) {
  const copies = headers.has('x-amz-copy-source');
  const part = query.has('uploadId');
  switch (key === '' ? `${method} bucket` : method) {
    case 'HEAD bucket':
      return 'HeadBucket';
    case 'GET bucket':
      if (query.has('versions')) return 'ListObjectVersions';
      return query.get('list-type') === '2' ? 'ListObjectsV2' : 'unknown';
    case 'POST bucket':
      return query.has('delete') ? 'DeleteObjects' : 'PostObject';
    case 'PUT':
      return part ? (copies ? 'UploadPartCopy' : 'UploadPart') : copies ? 'CopyObject' : 'PutObject';
    case 'GET':
      return part ? 'unknown' : 'GetObject';
    case 'HEAD':
      return 'HeadObject';
    case 'DELETE':
      return part ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'POST':
      return part ? 'CompleteMultipartUpload' : query.has('uploads') ? 'CreateMultipartUpload' : 'unknown';
    default:
      return 'unknown';
  }
}

function parse(request: IncomingMessage) {
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
  const headers = mergedHeaders(request);
  return { method: request.method ?? 'GET', path, query: new URLSearchParams(query), headers };
}

/** Checks who sends a request, and gives a presigned URL's headers their place. */
function admit(
  { method, path, query, headers }: ReturnType<typeof parse>,
  { secrets, tolerateHeader }: S3Options,
): Caller {
  const presigned = query.has('X-Amz-Signature');
  if (presigned && headers.has('authorization') && !tolerateHeader) {
    throw new Refusal(
      400,
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    );
  }
  const payloadHash =
    headers.get('x-amz-content-sha256') ?? query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD';
  const caller = authenticate({ method, path, query, headers, payloadHash }, secrets);
  if (!presigned) return caller;
  for (const [name, value] of query) {
    if (/^x-amz-/i.test(name) && !headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value);
  }
  return { ...caller, environment: undefined }; // whoever holds the URL calls, not the function that made it
}

async function answer(request: IncomingMessage, options: S3Options): Promise<S3Answer> {
  const parsed = parse(request);
  const { method, path, query, headers } = parsed;
  const [, bucketName = '', ...segments] = path.split('/');
  const key = segments.map(decodeURIComponent).join('/');
  const name = operationOf(method, key, query, headers);
  // A form brings its signature in its fields; the bucket checks it with the policy.
  const caller = name === 'PostObject' ? undefined : admit(parsed, options);
  const bucket = options.buckets().find((one) => one.name === bucketName);
  if (bucket === undefined) throw new Refusal(404, 'NoSuchBucket', 'The specified bucket does not exist');
  const operation = bucket.operations[name];
  if (operation === undefined)
    throw new Refusal(501, 'NotImplemented', 'This local S3 does not implement that.');
  const apply = () => operation({ key, query, headers, body: request });
  if (caller === undefined) return await apply();
  return await withFaults(options.faults, caller, { service: 's3', operation: name, key }, apply);
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body, bytes }: S3Answer,
) {
  response.writeHead(status, { ...(body && { 'content-length': Buffer.byteLength(body) }), ...headers });
  if (request.method === 'HEAD') response.end();
  else if (bytes === undefined) response.end(body);
  else await pipeline(bytes(), response);
}

async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code, message }: Refusal,
) {
  // A client that is still sending would meet a closed connection instead of the answer.
  request.resume();
  if (!request.readableEnded) await finished(request);
  const body = xml('Error', { Code: code, Message: message });
  await send(request, response, { status, headers: { 'content-type': 'application/xml' }, body });
}

/** A small S3 with path-style addressing, for one process. Object versions and access rules are not imitated. */
export function s3(options: S3Options) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, options)
      .then((result) => send(request, response, result))
      .catch(async (error: unknown) => {
        if (error instanceof CallerEnded || response.headersSent) throw error;
        const ours = new Refusal(500, 'InternalError', String(error));
        await refuse(request, response, error instanceof Refusal ? error : ours);
      })
      .catch(() => response.destroy()); // nobody is there to answer
  };
}
