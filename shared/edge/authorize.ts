import type { Clock } from '../clock.ts';
import { type Caller, EVERYWHERE, may, roleFor } from '../domain/access.ts';
import { Fault } from '../domain/fault.ts';
import type { Repository } from '../domain/repository.ts';
import type { RepositoryGate } from '../known-repositories.ts';
import type { SettingsReader } from '../repository-settings.ts';
import { type EndpointRoutes, endpoints } from '../routes.ts';
import { type Authenticate, notSaid } from './authenticate.ts';
import type { Locate } from './project.ts';
import { rememberingYes } from './remembering-yes.ts';
import { MOST_NAME_CHARACTERS, type Request, repositoryOf } from './request.ts';
import { note } from './run.ts';
import { type Authorize, everybody, type ProtectedEndpointId } from './serve.ts';

export type AuthorizeDependencies = {
  readonly authenticate: Authenticate;
  readonly settingsOf: SettingsReader;
  readonly gate: Pick<RepositoryGate, 'isThere' | 'mustBeThere'>;
  readonly locate: Locate;
  readonly clock: Pick<Clock, 'now'>;
};

/** Somebody who did not say who they are. */
const nobody: Caller = { kind: 'anyone', grants: [] };

/**
 * Who may call an endpoint, as shared/routes.ts says it: 401 to whoever is not known, 403 to an account that may
 * read the repository and lacks the permission, and 404 to one that may not read it, as if it were not there. Only
 * whoever has the permission hears more of a repository that is not there, or was deleted. Who calls is asked first:
 * nothing is looked up for a wrong password, and no refusal tells what was found.
 */
export function authorization(id: ProtectedEndpointId, dependencies: AuthorizeDependencies): Authorize {
  const { permission, everywhere }: EndpointRoutes = endpoints[id];
  const { authenticate, settingsOf, gate, locate } = dependencies;
  const enter = entrance(id, dependencies);
  const isReadByAll = asking(id, dependencies, async (repository) => {
    return (await settingsOf(repository)).anonymousRead && (await gate.isThere(repository));
  });
  const isPublic = (request: Request) => isReadByAll(repositoryOf(request));

  return async (sent) => {
    const caller = await authenticate(sent);
    if (caller !== undefined) note({ account: caller.name?.slice(0, MOST_NAME_CHARACTERS) });
    if (permission === 'anyone') return { caller: caller ?? nobody, request: sent };
    if (caller === undefined) {
      const request = permission === 'read' ? await locate(sent) : undefined;
      if (request === undefined || !(await isPublic(request))) throw notSaid();
      return { caller: { ...nobody, grants: [{ role: 'reader', on: repositoryOf(request) }] }, request };
    }
    if (permission === 'account') return { caller, request: sent };
    const request = await locate(sent);
    if (request === undefined) throw nobodysNumber(sent, caller);
    const on = everywhere ? EVERYWHERE : repositoryOf(request);
    note({ repository: on });
    if (may(caller, permission, on)) {
      await enter(request);
      return { caller, request };
    }
    if (!everywhere && !may(caller, 'read', on) && !(await isPublic(request))) {
      throw new Fault('hidden', NOT_FOUND);
    }
    if (permission === 'read') return { caller, request };
    throw forbidden(caller, roleFor(permission), on);
  };
}

/** With open access everybody may do everything, in every repository but one that was deleted. */
export function openAuthorization(
  id: ProtectedEndpointId,
  dependencies: Pick<AuthorizeDependencies, 'gate' | 'locate' | 'clock'>,
): Authorize {
  const { locate } = dependencies;
  const enter = entrance(id, dependencies);
  return async (sent) => {
    const request = await locate(sent);
    if (request === undefined) throw nobodysNumber(sent, everybody);
    await enter(request);
    return { caller: everybody, request };
  };
}

const NOT_FOUND = 'not found';

/** Whoever may not read everything hears no more than of a project that they may not read. */
function nobodysNumber(sent: Request, caller: Caller): Fault {
  if (!may(caller, 'read', EVERYWHERE)) return new Fault('not_found', NOT_FOUND);
  return new Fault(
    'not_found',
    `there is no project with the number ${sent.parameters['project']}: for one of that name, send the header X-Is-Resource-Name: true`,
  );
}

/**
 * Lets in whoever may do what they ask for.
 *
 * @throws Fault `repository_not_found` for an endpoint that is not there without its repository
 */
function entrance(
  id: ProtectedEndpointId,
  dependencies: Pick<AuthorizeDependencies, 'gate' | 'clock'>,
): (request: Request) => Promise<void> {
  const { permission, everywhere, asksForRepository }: EndpointRoutes = endpoints[id];
  if (permission === 'account' || permission === 'anyone' || everywhere || asksForRepository) {
    return async () => {};
  }
  const isThere = asking(id, dependencies, async (repository) => {
    await dependencies.gate.mustBeThere(repository);
    return true;
  });
  return async (request) => {
    const repository = repositoryOf(request);
    note({ repository });
    await isThere(repository);
  };
}

/** Asks anew each time, but for the endpoints that remember. */
function asking(
  id: ProtectedEndpointId,
  { clock }: Pick<AuthorizeDependencies, 'clock'>,
  ask: (repository: Repository) => Promise<boolean>,
): (repository: Repository) => Promise<boolean> {
  const { remembersAccess }: EndpointRoutes = endpoints[id];
  return remembersAccess ? rememberingYes(ask, clock) : ask;
}

/** Refuses somebody who may read, and lacks a role. */
export function forbidden({ name }: Caller, role: string, on: string): Fault {
  const where = on === EVERYWHERE ? 'everything ("*")' : on === '' ? 'the root repository' : on;
  return new Fault('forbidden', `forbidden: ${name} needs the role ${role} on ${where}`);
}
