import { shownMember } from '../shared/domain/project.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { memberNumberOf, repositoryOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { memberNumbered } from '../shared/members.ts';
import type { AccountStore } from '../shared/store/account-store.ts';

/** GET /api/v2.0/projects/{project}/members/{member}: somebody who has a role in a project, by number. */
export function getMember(dependencies: { readonly accounts: Pick<AccountStore, 'all'> }): Endpoint {
  return async (request) => {
    const project = repositoryOf(request);
    return json(
      200,
      shownMember(project, await memberNumbered(dependencies, project, memberNumberOf(request))),
    );
  };
}

export const handler = lambdaHandler('get-member', (environment) =>
  getMember({ accounts: accounts(environment) }),
);
