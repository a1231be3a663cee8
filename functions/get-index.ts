import { lightIndexDependencies } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { notModified } from '../shared/edge/representation.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import { bytes, headersOnly, redirect } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { indexReader, type ReadIndexDependencies } from '../shared/read-index.ts';

// What Helm's own server and ChartMuseum say, whether the body is YAML or JSON.
const TYPE = 'application/x-yaml';

/** GET /{repository}/index.yaml: never stale; a large one by a redirect to a signed URL. */
export function getIndex(dependencies: ReadIndexDependencies): Endpoint {
  const readIndex = indexReader(dependencies);
  return async (request) => {
    const index = await readIndex(repositoryOf(request));
    const etag = `"${index.etag}"`;
    // no-cache: keep it, but ask each time whether it still holds.
    const headers = { etag, 'cache-control': 'no-cache' };
    // By the pointer alone: a large index need not be read for this.
    const unchanged = notModified(request, { 'content-type': TYPE, ...headers });
    if (unchanged !== undefined) return unchanged;
    if (index.kind === 'inline') return bytes(TYPE, index.bytes, headers);
    if (request.method === 'HEAD') {
      const length = String(index.sizeBytes);
      return headersOnly(200, { 'content-type': TYPE, 'content-length': length, ...headers });
    }
    return redirect(await index.url(), headers);
  };
}

export const handler = lambdaHandler('get-index', (environment) =>
  getIndex(lightIndexDependencies(environment)),
);
