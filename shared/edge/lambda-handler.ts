import { accountAuthentication } from '../account-credentials.ts';
import { systemClock } from '../clock.ts';
import { verifyPassword } from '../password.ts';
import { basicAuthentication } from './authenticate.ts';
import { authorization } from './authorize.ts';
import { accounts, type Environment, settingsOf } from './environment.ts';
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
function authorize(id: ProtectedEndpointId, environment: Environment): Authorize | undefined {
  if (environment.access === 'open') return undefined;
  const authenticateAccount = accountAuthentication({
    accounts: accounts(environment),
    verifyPassword,
    clock: systemClock,
    report: (message, error) => logError(message, error, { endpoint: id }),
  });
  return authorization(id, {
    authenticate: basicAuthentication(authenticateAccount),
    settingsOf: settingsOf(environment),
  });
}
