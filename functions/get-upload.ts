import { Fault } from '../shared/domain/fault.ts';
import { parseUploadId } from '../shared/domain/upload-id.ts';
import { uploads } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { pathParameter, repositoryOf } from '../shared/edge/request.ts';
import { json, refusal } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import type { UploadOutcome, UploadStore } from '../shared/store/upload-store.ts';

/**
 * GET /api/{repository}/uploads/{id}: how far an upload through the bucket got. One that was rejected tells
 * the status and the body that a direct upload would have been answered.
 */
export function getUpload({ uploads }: { uploads: Pick<UploadStore, 'get'> }): Endpoint {
  return async (request) => {
    const id = parseUploadId(pathParameter(request, 'id'));
    const upload = await uploads.get(repositoryOf(request), id);
    if (upload === undefined)
      throw new Fault(
        'not_found',
        `there is no upload ${id}, nor was an object of that name seen in the inbox: ask for one by POST …/uploads`,
      );
    const { created, expires, outcome } = upload;
    return json(
      200,
      { id, created, ...(outcome.state === 'waiting' && { expires }), ...told(outcome) },
      { 'cache-control': 'no-store' },
    );
  };
}

function told(outcome: UploadOutcome): object {
  if (outcome.state !== 'rejected') return outcome;
  return { state: outcome.state, ...refusal(new Fault(outcome.code, outcome.message)) };
}

export const handler = lambdaHandler('get-upload', (environment) =>
  getUpload({ uploads: uploads(environment) }),
);
