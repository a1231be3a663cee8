import { type Caller, EVERYWHERE, may, roleFor } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import type { RepositoryGate } from '../known-repositories.ts';
import type { SettingsReader } from '../repository-settings.ts';
import { type EndpointRoutes, endpoints } from '../routes.ts';
import { type Authenticate, notSaid } from './authenticate.ts';
import { type Request, repositoryOf } from './request.ts';
import { type Authorize, everybody, type ProtectedEndpointId } from './serve.ts';

export type AuthorizeDependencies = {
  readonly authenticate: Authenticate;
  readonly settingsOf: SettingsReader;
  readonly gate: Pick<RepositoryGate, 'isThere' | 'mustBeThere'>;
};

/** Somebody who did not say who they are. */
const nobody: Caller = { kind: 'anyone', grants: [] };

/**
 * Who may call an endpoint, as shared/routes.ts says it: 401 to whoever is not known, 403 to an account that may
 * read the repository and lacks the permission, and 404 to one that may not read it, as if it were not there. Only
 * whoever has the permission hears more of a repository that is not there, or was deleted.
 */
export function authorization(id: ProtectedEndpointId, dependencies: AuthorizeDependencies): Authorize {
  const { permission, everywhere }: EndpointRoutes = endpoints[id];
  const { authenticate, settingsOf, gate } = dependencies;
  const isPublic = async (request: Request) => {
    const repository = repositoryOf(request);
    return (await settingsOf(repository)).anonymousRead && (await gate.isThere(repository));
  };

  return async (request) => {
    const caller = await authenticate(request);
    if (permission === 'anyone') return caller ?? nobody;
    if (caller === undefined) {
      if (permission !== 'read' || !(await isPublic(request))) throw notSaid();
      return { ...nobody, grants: [{ role: 'reader', on: repositoryOf(request) }] };
    }
    if (permission === 'account') return caller;
    const on = everywhere ? EVERYWHERE : repositoryOf(request);
    if (may(caller, permission, on)) {
      await enter(id, request, gate);
      return caller;
    }
    if (!everywhere && !may(caller, 'read', on) && !(await isPublic(request))) {
      throw new Fault('not_found', 'not found');
    }
    if (permission === 'read') return caller;
    throw forbidden(caller, roleFor(permission), on);
  };
}

/** With open access everybody may do everything, in every repository but one that was deleted. */
export function openAuthorization(
  id: ProtectedEndpointId,
  { gate }: Pick<AuthorizeDependencies, 'gate'>,
): Authorize {
  return async (request) => {
    await enter(id, request, gate);
    return everybody;
  };
}

/** @throws Fault `repository_not_found` for an endpoint that is not there without its repository */
async function enter(
  id: ProtectedEndpointId,
  request: Request,
  gate: Pick<RepositoryGate, 'mustBeThere'>,
): Promise<void> {
  const { permission, everywhere, asksForRepository }: EndpointRoutes = endpoints[id];
  if (permission === 'account' || permission === 'anyone' || everywhere || asksForRepository) return;
  await gate.mustBeThere(repositoryOf(request));
}

/** Refuses somebody who may read, and lacks a role. */
export function forbidden({ name }: Caller, role: string, on: string): Fault {
  const where = on === EVERYWHERE ? 'everything ("*")' : on === '' ? 'the root repository' : on;
  return new Fault('forbidden', `forbidden: ${name} needs the role ${role} on ${where}`);
}
