import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { parseRoleId } from '../shared/domain/project.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { memberNumberOf, readJson, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { changeMember, type MemberDependencies, memberNumbered } from '../shared/members.ts';

/** PUT /api/v2.0/projects/{project}/members/{member}: gives a member another role. */
export function replaceMember(dependencies: MemberDependencies): Endpoint {
  return async (request, caller) => {
    const project = repositoryOf(request);
    const number = memberNumberOf(request);
    const wish = parseRoleId(Object(readJson(request, '{"role_id": 2}')).role_id);
    const { name } = await memberNumbered(dependencies, project, number);
    await changeMember(dependencies, project, { name, ...wish }, senderOf(request, caller));
    return headersOnly(200, {});
  };
}

export const handler = lambdaHandler('put-member', (environment) =>
  replaceMember({ accounts: accounts(environment), clock: systemClock, newId: randomUUID }),
);
