import { accountAuthentication } from '../account-credentials.ts';
import { systemClock } from '../clock.ts';
import { failureLimit } from '../failure-limit.ts';
import { verifyPassword } from '../password.ts';
import type { AuthenticateToken, TokenSettings } from '../token-credentials.ts';
import { basicAuthentication } from './authenticate.ts';
import { authorization, openAuthorization } from './authorize.ts';
import { askingForTokens, withTokens } from './bearer.ts';
import { accounts, type Environment, failures, gate, knownRepositories, settingsOf } from './environment.ts';
import { projectLocator } from './project.ts';
import { note } from './run.ts';
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
  return buildOnce((environment) => {
    const { access, tokens, indexSettings } = environment;
    const endpoint = make(environment);
    const asking =
      access === 'open' || tokens === undefined ? endpoint : askingForTokens(id, endpoint, tokens);
    return serve(id, asking, authorize(id, environment), indexSettings.contextPath);
  });
}

/** With open access nobody is asked, and an Authorization header is ignored, as ChartMuseum does. */
function authorize(id: ProtectedEndpointId, environment: Environment): Authorize {
  const { access, tokens } = environment;
  const locate = projectLocator(id, () => knownRepositories(environment));
  const clock = systemClock;
  if (access === 'open') return openAuthorization(id, { gate: gate(environment), locate, clock });
  const report = async (message: string, error: unknown) => {
    (await import('./log.ts')).logError(message, error);
  };
  const authenticateAccount = accountAuthentication({
    accounts: accounts(environment),
    verifyPassword,
    limit: failureLimit({ failures: failures(environment), clock, report }),
    clock,
    // Who sent it is nobody yet: the line of the refusal has the code beside the name.
    wasWrong: (account) => note({ account }),
    report,
  });
  const basic = basicAuthentication(authenticateAccount);
  const others = { settingsOf: settingsOf(environment), gate: gate(environment), locate, clock };
  if (tokens === undefined) return authorization(id, { ...others, authenticate: basic });
  const authenticate = withTokens(lazyTokens(tokens), basic);
  return askingForTokens(id, authorization(id, { ...others, authenticate }), tokens);
}

/** What checks tokens is loaded with the first one: a deployment that takes none never pays for it. */
function lazyTokens(settings: TokenSettings): AuthenticateToken {
  let authenticate: AuthenticateToken | undefined;
  return async (token) => {
    const { tokenAuthentication } = await import('../token-credentials.ts');
    authenticate ??= tokenAuthentication(settings, systemClock);
    return await authenticate(token);
  };
}
