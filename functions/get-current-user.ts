import { EVERYWHERE, may } from '../shared/domain/access.ts';
import { numberOf } from '../shared/domain/project.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** GET /api/v2.0/users/current: as whom a request is taken, as Harbor's clients ask to see whether a login is right. */
export function getCurrentUser(): Endpoint {
  return async (_, caller) => {
    const { name = 'anyone' } = caller;
    const isAdmin = may(caller, 'administer', EVERYWHERE);
    return json(200, {
      user_id: numberOf(name),
      username: name,
      realname: name,
      email: '',
      sysadmin_flag: isAdmin,
      admin_role_in_auth: false,
    });
  };
}

export const handler = lambdaHandler('get-current-user', getCurrentUser);
