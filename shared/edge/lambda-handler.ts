import { accountAuthentication } from '../account-credentials.ts';
import { systemClock } from '../clock.ts';
import { failureLimit } from '../failure-limit.ts';
import { verifyPassword } from '../password.ts';
import { basicAuthentication } from './authenticate.ts';
import { authorization } from './authorize.ts';
import { accounts, type Environment, failures, settingsOf } from './environment.ts';
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
  const clock = systemClock;
  const report = (message: string, error: unknown) => logError(message, error, { endpoint: id });
  const authenticateAccount = accountAuthentication({
    accounts: accounts(environment),
    verifyPassword,
    limit: failureLimit({ failures: failures(environment), clock, report }),
    clock,
    report,
  });
  return authorization(id, {
    authenticate: basicAuthentication(authenticateAccount),
    settingsOf: settingsOf(environment),
  });
}
