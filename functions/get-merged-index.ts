import { collect } from '../shared/async-iteration.ts';
import { notSaid } from '../shared/edge/authenticate.ts';
import { projectDependencies } from '../shared/edge/bucket-environment.ts';
import { namedEntityTag } from '../shared/edge/entity-tag.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { notModified } from '../shared/edge/representation.ts';
import { bytes, headersOnly, redirect } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type MergedDependencies, mergedIndexReader } from '../shared/merged-index.ts';
import { type ReadableDependencies, readableProjects } from '../shared/readable-projects.ts';

const TYPE = 'application/x-yaml';

/**
 * GET /chartrepo/index.yaml: the charts of all projects that the caller may read, as `<project>/<chart>`; never stale,
 * a large one by a redirect to a signed URL.
 */
export function getMergedIndex(dependencies: MergedDependencies & ReadableDependencies): Endpoint {
  const readMerged = mergedIndexReader(dependencies);
  return async (request, caller) => {
    const projects = (await collect(readableProjects(dependencies, caller))).map(({ path }) => path);
    // An empty index would tell somebody who forgot to log in that there is nothing.
    if (projects.length === 0 && caller.kind === 'anyone' && caller.grants.length === 0) throw notSaid();
    const isKnown = (etag: string) =>
      namedEntityTag(request.headers['if-none-match'], `"${etag}"`) !== undefined;
    const index = await readMerged(projects, isKnown);
    const headers = { etag: `"${index.etag}"`, 'cache-control': 'no-cache' };
    switch (index.kind) {
      case 'known':
        return notModified(request, { 'content-type': TYPE, ...headers }) ?? headersOnly(304, headers);
      case 'inline':
        return bytes(TYPE, index.bytes, headers);
      case 'stored': {
        if (request.method !== 'HEAD') return redirect(await index.url(), headers);
        const length = String(index.sizeBytes);
        return headersOnly(200, { 'content-type': TYPE, 'content-length': length, ...headers });
      }
    }
  };
}

export const handler = lambdaHandler('get-merged-index', (environment) =>
  getMergedIndex(projectDependencies(environment)),
);
