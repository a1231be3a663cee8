import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished, pipeline } from 'node:stream/promises';
import { CallerEnded, type Faults, withFaults } from './faults.ts';
import { mergedHeaders } from './http-event.ts';
import type { Bucket, S3Answer } from './s3-bucket.ts';
import { xml } from './s3-xml.ts';
import { authenticate, Refusal, type Secrets } from './sigv4.ts';

type S3Parts = {
  /** Nothing while the stack starts. */
  readonly bucket: Bucket | undefined;
  readonly secrets: Secrets;
  readonly faults: Faults;
};

type S3Options = {
  /** Whether an `Authorization` header beside a presigned query is ignored; real S3 refuses the two. */
  readonly tolerateHeader: boolean;
};

/** AWS's name of what a request asks for, by its method, what it is about, and what tells it from others. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'GET bucket list-type': 'ListObjectsV2',
  'GET bucket versions': 'ListObjectVersions',
  'POST bucket delete': 'DeleteObjects',
  'POST bucket': 'PostObject',
  'PUT object': 'PutObject',
  'GET object': 'GetObject',
  'HEAD object': 'HeadObject',
  'DELETE object': 'DeleteObject',
  'POST object uploads': 'CreateMultipartUpload',
  'PUT object uploadId': 'UploadPart',
  'PUT object x-amz-copy-source uploadId': 'UploadPartCopy',
  'POST object uploadId': 'CompleteMultipartUpload',
  'DELETE object uploadId': 'AbortMultipartUpload',
};

const MARKS = ['x-amz-copy-source', 'uploadId', 'uploads', 'delete', 'versions', 'list-type'];

async function answer(
  request: IncomingMessage,
  parts: S3Parts,
  { tolerateHeader }: S3Options,
): Promise<S3Answer> {
  const { method = 'GET', url = '/' } = request;
  const [path = '/', queryText = ''] = url.split('?', 2);
  const query = new URLSearchParams(queryText);
  const headers = mergedHeaders(request);
  const [, bucketName = '', ...segments] = path.split('/');
  const key = segments.map(decodeURIComponent).join('/');
  const marks = MARKS.filter((mark) => query.has(mark) || headers.has(mark));
  const name = OPERATIONS[[method, key === '' ? 'bucket' : 'object', ...marks].join(' ')] ?? '';
  if (query.has('X-Amz-Signature') && headers.has('authorization') && !tolerateHeader) {
    throw new Refusal(400, 'InvalidArgument', 'Only one auth mechanism allowed');
  }
  const payloadHash =
    headers.get('x-amz-content-sha256') ?? query.get('X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD';
  // A form brings its signature in its fields; the bucket checks it with the policy.
  const caller =
    name === 'PostObject'
      ? undefined
      : authenticate({ method, path, query, headers, payloadHash }, parts.secrets);
  const { bucket } = parts;
  if (bucket?.name !== bucketName) throw new Refusal(404, 'NoSuchBucket', `There is no ${bucketName} here.`);
  const operation = bucket.operations[name];
  if (operation === undefined) throw new Refusal(501, 'NotImplemented', 'This local S3 does not do that.');
  const apply = () => operation({ key, query, headers, body: request });
  return await withFaults(parts.faults, caller, { service: 's3', operation: name, key }, apply);
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

/** A small S3 with path-style addressing, of one bucket, for one process. Access rules are not imitated. */
export function s3(parts: S3Parts, options: S3Options) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    answer(request, parts, options)
      .then((result) => send(request, response, result))
      .catch(async (error: unknown) => {
        if (error instanceof CallerEnded || response.headersSent) throw error;
        const ours = new Refusal(500, 'InternalError', String(error));
        await refuse(request, response, error instanceof Refusal ? error : ours);
      })
      .catch(() => response.destroy()); // nobody is there to answer
  };
}
