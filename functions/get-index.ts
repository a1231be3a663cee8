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
    // no-cache: keep it, but ask each time whether it still holds.
    const headersOf = (etag: string) => ({ etag: `"${etag}"`, 'cache-control': 'no-cache' });
    const index = await readIndex(repositoryOf(request), (etag) =>
      notModified(request, { 'content-type': TYPE, ...headersOf(etag) }),
    );
    if (index.kind === 'held') return index.answer;
    const headers = headersOf(index.etag);
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
