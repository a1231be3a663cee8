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
