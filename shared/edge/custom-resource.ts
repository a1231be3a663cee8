import type { CloudFormationCustomResourceEvent as CustomResourceEvent } from 'aws-lambda';

export type { CustomResourceEvent };

/**
 * Does what CloudFormation asks of a resource that this stack makes by itself, and tells it how that ended: a
 * failure undoes the deployment.
 *
 * @param name of the resource, the same at every call: another one would have CloudFormation remove the old
 * @throws Error if CloudFormation cannot be told, so that Lambda calls once more
 */
export async function answerCloudFormation(
  event: CustomResourceEvent,
  name: string,
  work: () => Promise<unknown>,
): Promise<void> {
  const { StackId, RequestId, LogicalResourceId, ResponseURL } = event;
  const outcome = await work().then(
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
