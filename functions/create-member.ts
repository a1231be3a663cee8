import { randomUUID } from 'node:crypto';
import { systemClock } from '../shared/clock.ts';
import { type AccountName, parseAccountName } from '../shared/domain/account.ts';
import { Fault } from '../shared/domain/fault.ts';
import { numberOf, parseRoleId } from '../shared/domain/project.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { readJson, repositoryOf, senderOf } from '../shared/edge/request.ts';
import { headersOnly } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { accountNumbered, addMember, type MemberDependencies } from '../shared/members.ts';

/** POST /api/v2.0/projects/{project}/members: gives an account a role in a project. */
export function postMember(dependencies: MemberDependencies): Endpoint {
  return async (request, caller) => {
    const project = repositoryOf(request);
    const { role_id, member_user, member_group }: Record<string, unknown> = Object(
      readJson(request, '{"role_id": 2, "member_user": {"username": "…"}}'),
    );
    if (member_user === undefined && member_group !== undefined && member_group !== null) {
      throw new Fault(
        'invalid_request',
        'there are no groups: make each an account a member, or give a group its role by tokens',
      );
    }
    const { role } = parseRoleId(role_id);
    const name = await accountOf(dependencies, member_user);
    await addMember(dependencies, project, { name, role }, senderOf(request, caller));
    return headersOnly(201, { location: `${request.basePath}${request.path}/${numberOf(name)}` });
  };
}

async function accountOf(dependencies: MemberDependencies, user: unknown): Promise<AccountName> {
  const { username, user_id: id }: Record<string, unknown> = Object(user);
  if (typeof username === 'string' && username !== '') return parseAccountName(username);
  if (typeof id === 'number' && Number.isSafeInteger(id)) return await accountNumbered(dependencies, id);
  throw new Fault('invalid_request', '"member_user" says who: {"username": "…"} or {"user_id": 1}');
}

export const handler = lambdaHandler('create-member', (environment) =>
  postMember({ accounts: accounts(environment), clock: systemClock, newId: randomUUID }),
);
