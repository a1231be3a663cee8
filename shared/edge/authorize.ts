import { type Caller, EVERYWHERE, may, roleFor } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import type { SettingsReader } from '../repository-settings.ts';
import { type EndpointRoutes, endpoints } from '../routes.ts';
import { type Authenticate, notSaid } from './authenticate.ts';
import { type Request, repositoryOf } from './request.ts';
import type { Authorize, ProtectedEndpointId } from './serve.ts';

export type AuthorizeDependencies = {
  readonly authenticate: Authenticate;
  readonly settingsOf: SettingsReader;
};

/**
 * Who may call an endpoint, as shared/routes.ts says it: 401 to whoever is not known, 403 to an account that may
 * read the repository and lacks the permission, and 404 to one that may not read it, as if it were not there.
 */
export function authorization(id: ProtectedEndpointId, dependencies: AuthorizeDependencies): Authorize {
  const { permission, everywhere }: EndpointRoutes = endpoints[id];
  const { authenticate, settingsOf } = dependencies;
  const isPublic = async (request: Request) => (await settingsOf(repositoryOf(request))).anonymousRead;

  return async (request) => {
    const caller = await authenticate(request);
    if (caller === undefined) {
      if (permission !== 'read' || !(await isPublic(request))) throw notSaid();
      return { kind: 'anyone', grants: [{ role: 'reader', on: repositoryOf(request) }] };
    }
    if (permission === 'account') return caller;
    const on = everywhere ? EVERYWHERE : repositoryOf(request);
    if (may(caller, permission, on)) return caller;
    if (!everywhere && !may(caller, 'read', on) && !(await isPublic(request))) {
      throw new Fault('not_found', 'not found');
    }
    if (permission === 'read') return caller;
    throw forbidden(caller, roleFor(permission), on);
  };
}

function forbidden({ name }: Caller, role: string, on: string): Fault {
  const where = on === EVERYWHERE ? 'everything ("*")' : on === '' ? 'the root repository' : on;
  return new Fault('forbidden', `forbidden: ${name} needs the role ${role} on ${where}`);
}
