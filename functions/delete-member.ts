import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { memberNumberOf, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { type MemberDependencies, memberNumbered, removeMember } from '../shared/members.ts';

/** DELETE /api/v2.0/projects/{project}/members/{member}: takes the role in a project away from somebody. */
export function deleteMember(dependencies: MemberDependencies): Endpoint {
  return async (request, caller) => {
    const project = repositoryOf(request);
    const { name } = await memberNumbered(dependencies, project, memberNumberOf(request));
    await removeMember(dependencies, project, name, senderOf(request, caller));
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('delete-member', (environment) =>
  deleteMember({ accounts: accounts(environment), clock: systemClock, newId: randomUUID }),
);
