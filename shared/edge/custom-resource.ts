import { setTimeout } from 'node:timers/promises';
import type { CloudFormationCustomResourceEvent as CustomResourceEvent } from 'aws-lambda';

export type { CustomResourceEvent };

/**
 * Does what CloudFormation asks of a resource that this stack makes by itself, and tells it how that ended: a
 * failure undoes the deployment.
 *
 * @param name of the resource, the same at every call: another one would have CloudFormation remove the old
 * @param work may be done several times
 * @param wait for milliseconds
 * @throws Error if CloudFormation cannot be told, so that Lambda calls once more
 */
export async function answerCloudFormation(
  event: CustomResourceEvent,
  name: string,
  work: () => Promise<unknown>,
  wait: (ms: number) => Promise<unknown> = setTimeout,
): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;
  const outcome = await onceLetIn(work, wait).then(
    () => ({ Status: 'SUCCESS' }),
    (error: unknown) => ({ Status: 'FAILED', Reason: String(error) }),
  );
  const answer = { ...outcome, PhysicalResourceId: name, StackId, RequestId, LogicalResourceId };
  const { ok, status } = await fetch(ResponseURL, {
    method: 'PUT',
    // The URL is signed for no type; fetch would send one.
    headers: { 'content-type': '' },
    body: JSON.stringify(answer),
  });
  if (!ok) throw new Error(`CloudFormation took no answer: ${status}`);
}

// Half a minute together, within the function's minute.
const PAUSES_MS = [1000, 2000, 4000, 8000, 15_000];

/** A role that was made or changed a moment ago is not known everywhere yet: what it may do is refused for some seconds. */
async function onceLetIn<T>(work: () => Promise<T>, wait: (ms: number) => Promise<unknown>): Promise<T> {
  for (const pause of PAUSES_MS) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AccessDeniedException')) throw error;
      await wait(pause);
    }
  }
  return await work();
}
