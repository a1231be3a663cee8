import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../shared/clock.ts';
import { may } from '../shared/domain/access.ts';
import { uploadKey } from '../shared/domain/object-keys.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { type Environment, gate, uploads } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { asksForForce } from '../shared/edge/upload.ts';
import { UPLOAD_REMEMBERED_MS } from '../shared/inbox.ts';
import type { RepositoryGate } from '../shared/known-repositories.ts';
import type { ObjectStore, SignedPost } from '../shared/store/object-store.ts';
import type { UploadStore } from '../shared/store/upload-store.ts';

type Dependencies = Pick<Environment, 'maxPackageBytes'> & {
  readonly admission: RepositoryGate['admission'];
  readonly uploads: Pick<UploadStore, 'put'>;
  readonly objects: Pick<ObjectStore, 'signedPost'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly newId: () => string;
};

// Enough for 20 MiB over a slow line.
const LIVES_SECONDS = 15 * 60;

/**
 * POST /api/{repository}/uploads: the way for a package that is too large for one request. The answer is a
 * form that puts it into the bucket, whose event publishes it.
 */
export function createUpload(dependencies: Dependencies): Endpoint {
  const { uploads, objects, clock, newId, maxPackageBytes } = dependencies;
  return async (request, caller) => {
    const repository = repositoryOf(request);
    // The event makes the repository, once something is to be stored in it.
    const by = senderOf(request, caller);
    const { created: repositoryCreated } = await dependencies.admission(repository, by);
    const id = newId();
    const now = clock.now();
    const expires = new Date(now + LIVES_SECONDS * 1000).toISOString();
    const upload = {
      id,
      created: new Date(now).toISOString(),
      ...(repositoryCreated !== undefined && { repositoryCreated }),
      expires,
      by,
      force: asksForForce(request),
      mayReplace: may(caller, 'maintain', repository),
      copied: false,
      outcome: { state: 'waiting' },
    } as const;
    await uploads.put(repository, upload, now + UPLOAD_REMEMBERED_MS);
    const post = await objects.signedPost(uploadKey(repository, id), {
      atMostBytes: maxPackageBytes,
      expiresInSeconds: LIVES_SECONDS,
    });
    return json(
      201,
      {
        id,
        ...post,
        expires,
        maxBytes: maxPackageBytes,
        curl: curlCommand(post),
      },
      { 'cache-control': 'no-store' },
    );
  };
}

/** `chart.tgz` stands for the package. Neither URLs nor signed fields hold a quote. */
function curlCommand({ url, fields }: SignedPost): string {
  const form = Object.entries(fields).map(([name, value]) => `-F '${name}=${value}'`);
  return ['curl --fail-with-body', ...form, "-F 'file=@chart.tgz'", `'${url}'`].join(' ');
}

export const handler = lambdaHandler('create-upload', (environment) =>
  createUpload({
    admission: gate(environment).admission,
    uploads: uploads(environment),
    objects: objects(environment),
    clock: systemClock,
    newId: randomUUID,
    maxPackageBytes: environment.maxPackageBytes,
  }),
);
