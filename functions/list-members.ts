import { collect } from '../shared/async-iteration.ts';
import { shownMember } from '../shared/domain/project.ts';
import { accounts } from '../shared/edge/environment.ts';
import { harborPage } from '../shared/edge/harbor-pages.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { repositoryOf } from '../shared/edge/request.ts';
import type { Endpoint } from '../shared/edge/serve.ts';
import { membersOf } from '../shared/members.ts';
import type { AccountStore } from '../shared/store/account-store.ts';

/** GET /api/v2.0/projects/{project}/members: who has a role in a project, by name, a page at a time. */
export function listMembers(dependencies: { readonly accounts: Pick<AccountStore, 'all'> }): Endpoint {
  return async (request) => {
    const project = repositoryOf(request);
    const part = request.query.get('entityname') ?? '';
    const members = (await collect(membersOf(dependencies, project))).filter(({ name }) =>
      name.includes(part),
    );
    return await harborPage(request, members, (member) => shownMember(project, member));
  };
}

export const handler = lambdaHandler('list-members', (environment) =>
  listMembers({ accounts: accounts(environment) }),
);
