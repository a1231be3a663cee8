import { randomUUID } from 'node:crypto';
import { createSecret } from '../shared/accounts.ts';
import { systemClock } from '../shared/clock.ts';
import { parseSecretWish } from '../shared/domain/account.ts';
import { accounts } from '../shared/edge/environment.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import { accountNameOf, readJson, senderOf } from '../shared/edge/request.ts';
import { json } from '../shared/edge/response.ts';
import type { Endpoint } from '../shared/edge/serve.ts';

/** POST /-/accounts/{account}/secrets: one more secret of a robot, shown this once. */
export function postSecret(dependencies: Parameters<typeof createSecret>[0]): Endpoint {
  return async (request, caller) => {
    const name = accountNameOf(request);
    const days = parseSecretWish(readJson(request, 'when the secret ends'));
    const made = await createSecret(dependencies, name, days, senderOf(request, caller));
    return json(201, made, { 'cache-control': 'no-store' });
  };
}

export const handler = lambdaHandler('create-secret', (environment) =>
  postSecret({ accounts: accounts(environment), clock: systemClock, newId: randomUUID }),
);
