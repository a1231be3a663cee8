import { systemClock } from '../clock.ts';
import { environmentVariables } from '../contract.ts';
import type { AdminSecret } from '../store/admin-secret.ts';
import { type Authenticate, basicAuthentication } from './authenticate.ts';
import type { Environment } from './environment.ts';
import { buildOnce, type Endpoint, type Handler, type ProtectedEndpointId, serve } from './serve.ts';

/** The Lambda handler of an endpoint that asks who is calling; the others have openHandler. */
export function lambdaHandler(
  id: ProtectedEndpointId,
  make: (environment: Environment) => Endpoint,
): Handler {
  return buildOnce((environment) => serve(id, make(environment), authentication(environment)));
}

/** With open access nobody is asked, and an Authorization header is ignored, as ChartMuseum does. */
function authentication({ access, adminSecretArn }: Environment): Authenticate | undefined {
  if (access === 'open') return undefined;
  if (adminSecretArn === undefined) throw new Error(`${environmentVariables.adminSecret} is not set`);
  return basicAuthentication(lazySecret(adminSecretArn), systemClock);
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
