import { Fault } from '../shared/domain/fault.ts';
import { type PackageFile, parsePackageFileName } from '../shared/domain/package-file.ts';
import { lightObjects, versions } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { pathParameter, repositoryOf } from '../shared/edge/request.ts';
import { type Headers, headersOnly, type Response, redirect } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { ObjectStore } from '../shared/store/object-store.ts';
import type { VersionItem, VersionStore } from '../shared/store/version-store.ts';

type Dependencies = {
  readonly versions: Pick<VersionStore, 'get'>;
  readonly objects: Pick<ObjectStore, 'get' | 'signedUrl'>;
};

/** What a file name stands for at this moment. */
type ServedFile = {
  readonly key: string;
  readonly digest: string;
  readonly contentType: string;
  /** Not known of a provenance file. */
  readonly sizeBytes?: number;
};

// Enough for a slow client to begin, useless to whoever finds the URL later.
const URL_LIVES_SECONDS = 300;

/**
 * GET /{repository}/charts/{file}: a package or its provenance file, by a redirect to a signed URL that
 * carries the bytes past Lambda's limit. HEAD is answered here: such a URL is signed for GET alone.
 */
export function getPackage({ versions, objects }: Dependencies): Endpoint {
  return async (request) => {
    const repository = repositoryOf(request);
    const text = pathParameter(request, 'file');
    const file = parsePackageFileName(text);
    const item = file && (await versions.get({ repository, name: file.name, version: file.version }));
    const served = file && item && servedFile(item, file.kind);
    if (served === undefined) throw new Fault('not_found', `object not found: there is no ${text} here`);
    if (request.method === 'HEAD') return await describe(objects, served);
    const url = await objects.signedUrl(served.key, URL_LIVES_SECONDS);
    // The URL ends after minutes, and the next one may lead to other bytes.
    return redirect(url, { 'cache-control': 'no-store' });
  };
}

/** @returns undefined if readers see no such file; a provenance file only while its package is live */
function servedFile({ live, provenance }: VersionItem, kind: PackageFile['kind']): ServedFile | undefined {
  if (live === undefined) return undefined;
  const { key, digest, sizeBytes } = live;
  if (kind === 'package') return { key, digest, sizeBytes, contentType: 'application/x-tar' };
  if (provenance?.package !== digest) return undefined;
  return { key: provenance.key, digest: provenance.digest, contentType: 'application/pgp-signature' };
}

async function describe(objects: Pick<ObjectStore, 'get'>, served: ServedFile): Promise<Response> {
  const { key, digest, contentType, sizeBytes } = served;
  const headers: Headers = { etag: `"${digest}"`, 'cache-control': 'no-cache' };
  if (sizeBytes !== undefined) {
    return headersOnly(200, { 'content-type': contentType, 'content-length': String(sizeBytes), ...headers });
  }
  // A provenance file is a few kilobytes: reading it tells its length.
  const body = await objects.get(key);
  if (body === undefined) throw new Fault('not_found', 'object not found');
  return headersOnly(200, { 'content-type': contentType, 'content-length': String(body.length), ...headers });
}

export const handler = lambdaHandler('get-package', (environment) =>
  getPackage({ versions: versions(environment), objects: lightObjects(environment) }),
);
