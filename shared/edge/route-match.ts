import { Fault } from '../domain/fault.ts';
import { type Route, routes } from '../routes.ts';
import { repositoryOf } from './request.ts';

/**
 * Matches a decoded path with a template of shared/routes.ts; a parameter stands for one part that is not
 * empty, as in API Gateway.
 *
 * @returns the parameters, or undefined if the path is another
 */
export function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [position, part] of wanted.entries()) {
    const text = given[position] ?? '';
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined ? text !== part : text === '') return undefined;
    if (name !== undefined) parameters[name] = text;
  }
  return parameters;
}

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
