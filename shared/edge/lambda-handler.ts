import { accountAuthentication } from '../account-credentials.ts';
import { systemClock } from '../clock.ts';
import { environmentVariables } from '../contract.ts';
import { verifyPassword } from '../password.ts';
import type { AdminSecret } from '../store/admin-secret.ts';
import { basicAuthentication } from './authenticate.ts';
import { authorization, openAuthorization } from './authorize.ts';
import { accounts, type Environment, gate, settingsOf } from './environment.ts';
import { logError } from './log.ts';
import {
  type Authorize,
  buildOnce,
  type Endpoint,
  type Handler,
  type ProtectedEndpointId,
  serve,
} from './serve.ts';

/** The Lambda handler of an endpoint that asks who is calling; the others have openHandler. */
export function lambdaHandler(
  id: ProtectedEndpointId,
  make: (environment: Environment) => Endpoint,
): Handler {
  return buildOnce((environment) => serve(id, make(environment), authorize(id, environment)));
}

/** With open access nobody is asked, and an Authorization header is ignored, as ChartMuseum does. */
function authorize(id: ProtectedEndpointId, environment: Environment): Authorize {
  const { access, adminSecretArn } = environment;
  if (access === 'open') return openAuthorization(id, { gate: gate(environment) });
  if (adminSecretArn === undefined) throw new Error(`${environmentVariables.adminSecret} is not set`);
  const authenticateAccount = accountAuthentication({
    accounts: accounts(environment),
    verifyPassword,
    clock: systemClock,
    report: (message, error) => logError(message, error, { endpoint: id }),
  });
  return authorization(id, {
    authenticate: basicAuthentication(lazySecret(adminSecretArn), authenticateAccount, systemClock),
    settingsOf: settingsOf(environment),
    gate: gate(environment),
  });
}

/** The client of Secrets Manager is loaded with the first password: open deployments never pay for it. */
function lazySecret(arn: string): AdminSecret {
  let secret: AdminSecret | undefined;
  return {
    async read() {
      const { adminSecret } = await import('../store/admin-secret.ts');
      secret ??= adminSecret(arn);
      return await secret.read();
    },
  };
}
