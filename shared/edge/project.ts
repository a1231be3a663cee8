import { isDeleted } from '../domain/known-repository.ts';
import { isProject, numberOf } from '../domain/project.ts';
import type { Repository } from '../domain/repository.ts';
import { type EndpointRoutes, endpoints } from '../routes.ts';
import type { KnownRepositoryStore } from '../store/known-repository-store.ts';
import type { Request } from './request.ts';
import type { ProtectedEndpointId } from './serve.ts';

/** Finds the repository of a request whose path may name it by number; undefined where nobody has the number. */
export type Locate = (request: Request) => Promise<Request | undefined>;

/**
 * Says which repository is meant by `{project}` in a path, as Harbor reads it: digits are the project's id, and never
 * a name, unless the header `X-Is-Resource-Name` says so. Else a request that is sent twice could mean two projects.
 */
export function projectLocator(
  id: ProtectedEndpointId,
  open: () => Pick<KnownRepositoryStore, 'all'>,
): Locate {
  const { paths }: EndpointRoutes = endpoints[id];
  if (!paths.some((path) => path.includes('{project}'))) return async (request) => request;
  const knownRepositories = open();
  return async (request) => {
    const number = projectNumberOf(request);
    if (number === undefined) return asNamed(request);
    const name = await projectNumbered(knownRepositories, number);
    return name && withRepository(request, name);
  };
}

/** The request with the repository as the client named it; undefined where it was named by number. */
export const asNamed = (request: Request): Request | undefined => {
  const { project } = request.parameters;
  if (project === undefined) return request;
  return projectNumberOf(request) === undefined ? withRepository(request, project) : undefined;
};

/** The number by which a path names a project; undefined where it names it otherwise, or none. */
function projectNumberOf({ parameters, headers }: Request): number | undefined {
  const { project = '' } = parameters;
  return /^\d+$/.test(project) && headers['x-is-resource-name'] !== 'true' ? Number(project) : undefined;
}

const withRepository = (request: Request, name: string): Request => ({
  ...request,
  parameters: { ...request.parameters, segment1: name },
});

/** The name of the one project with this number. */
export async function projectNumbered(
  knownRepositories: Pick<KnownRepositoryStore, 'all'>,
  number: number,
): Promise<Repository | undefined> {
  const found: Repository[] = [];
  for await (const known of knownRepositories.all()) {
    if (isProject(known.path) && !isDeleted(known) && numberOf(known.path) === number) found.push(known.path);
  }
  return found.length === 1 ? found[0] : undefined;
}
