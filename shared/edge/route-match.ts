import { Fault } from '../domain/fault.ts';
import { type Route, routes } from '../routes.ts';
import { matchPath } from './match-path.ts';
import { repositoryOf } from './request.ts';

/**
 * The methods that some route answers at a path, in the order of the table. A route that takes for a repository what
 * cannot be one answers nothing there.
 */
export function methodsAt(path: string): readonly string[] {
  const matching = routes.filter((route: Route) => {
    const parameters = matchPath(route.path, path);
    return parameters !== undefined && namesRepository({ method: route.method, parameters, path });
  });
  return [...new Set(matching.map(({ method }) => method))];
}

function namesRepository(request: Parameters<typeof repositoryOf>[0]): boolean {
  try {
    repositoryOf(request);
    return true;
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
}
