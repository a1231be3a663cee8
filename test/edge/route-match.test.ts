import { describe, expect, it } from 'vitest';
import { matchPath } from '../../shared/edge/match-path.ts';
import { methodsAt } from '../../shared/edge/route-match.ts';

describe('matchPath', () => {
  it.each([
    { template: '/', path: '/', parameters: {} },
    { template: '/a/{b}/c', path: '/a/x/c', parameters: { b: 'x' } },
    { template: '/{a}/{b}', path: '/x/y', parameters: { a: 'x', b: 'y' } },
    { template: '/a/{b}', path: '/a/', parameters: undefined },
    { template: '/a/{b}', path: '/a/x/', parameters: undefined },
    { template: '/a/{b}', path: '/a/x/y', parameters: undefined },
    { template: '/a/{b}', path: '/b/x', parameters: undefined },
    { template: '/a', path: '/a/', parameters: undefined },
  ])('of $template with $path gives $parameters', ({ template, path, parameters }) => {
    expect(matchPath(template, path)).toEqual(parameters);
  });
});

describe('methodsAt', () => {
  it.each([
    { path: '/api/charts', methods: ['GET', 'HEAD', 'POST'] },
    { path: '/index.yaml', methods: ['GET', 'HEAD'] },
    { path: '/nothing', methods: [] },
    { path: '/api/chartrepo/org/charts', methods: ['POST', 'GET'] },
    { path: '/api/chartrepo/charts', methods: ['POST'] },
    { path: '/api/chartrepo/org/prov', methods: ['POST'] },
    { path: '/api/chartrepo/org/uploads', methods: [] },
    { path: '/chartrepo/org/index.yaml', methods: ['GET', 'HEAD'] },
    { path: '/api/v2.0/charts', methods: [] },
    { path: '/api/v2.0/projects/2026', methods: ['GET', 'PUT', 'DELETE'] },
  ])('knows what is allowed at $path', ({ path, methods }) => {
    expect(methodsAt(path)).toEqual(methods);
  });
});
