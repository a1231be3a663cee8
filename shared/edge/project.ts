import { isDeleted } from '../domain/known-repository.ts';
import { numberOf } from '../domain/project.ts';
import type { Repository } from '../domain/repository.ts';
import { type EndpointRoutes, endpoints } from '../routes.ts';
import type { KnownRepositoryStore } from '../store/known-repository-store.ts';
import type { Locate, ProtectedEndpointId } from './serve.ts';

/**
 * Says which repository is meant by `{project}` in a path, as Harbor reads it: a number is the project's id, unless
 * the header `X-Is-Resource-Name` says that it is a name. What is nobody's id, or that of two, is left as a name.
 *
 * @returns undefined for an endpoint whose path names no project
 */
export function projectLocator(
  id: ProtectedEndpointId,
  open: () => Pick<KnownRepositoryStore, 'all'>,
): Locate | undefined {
  const { paths }: EndpointRoutes = endpoints[id];
  if (!paths.some((path) => path.includes('{project}'))) return undefined;
  const knownRepositories = open();
  return async (request) => {
    const { parameters, headers } = request;
    const { project = '' } = parameters;
    const isNumber = /^\d{1,10}$/.test(project) && headers['x-is-resource-name'] !== 'true';
    const name = isNumber ? await projectNumbered(knownRepositories, Number(project)) : undefined;
    return { ...request, parameters: { ...parameters, segment1: name ?? project } };
  };
}

/** The name of the one project with this number. */
export async function projectNumbered(
  knownRepositories: Pick<KnownRepositoryStore, 'all'>,
  number: number,
): Promise<Repository | undefined> {
  const found: Repository[] = [];
  for await (const known of knownRepositories.all()) {
    if (!isDeleted(known) && numberOf(known.path) === number) found.push(known.path);
  }
  return found.length === 1 ? found[0] : undefined;
}
