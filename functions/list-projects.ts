import type { Caller } from '../shared/domain/access.ts';
import { Fault } from '../shared/domain/fault.ts';
import type { KnownRepository } from '../shared/domain/known-repository.ts';
import { parseProjectFilter } from '../shared/domain/project.ts';
import { notSaid } from '../shared/edge/authenticate.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { knownRepositories, pointers, settingsOf, versions } from '../shared/edge/environment.ts';
import { harborPage } from '../shared/edge/harbor-pages.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import type { Request } from '../shared/edge/request.ts';
import { json, type Response } from '../shared/edge/response.ts';
import { type Endpoint, everybody } from '../shared/edge/serve.ts';
import { type ReadableDependencies, readableProjects } from '../shared/readable-projects.ts';
import { type ShowDependencies, showProject } from '../shared/show-project.ts';

type Dependencies = ReadableDependencies & ShowDependencies;

/**
 * GET /api/v2.0/projects: the projects that the caller may read, by name, a page at a time; HEAD tells whether one is
 * among them.
 */
export function listProjects(dependencies: Dependencies): Endpoint {
  const { settingsOf } = dependencies;
  return async (request, caller) => {
    if (request.method === 'HEAD') return await tellOfProject(dependencies, request, caller);
    const { isNamed, isPublic } = parseProjectFilter(request.query);
    const found: KnownRepository[] = [];
    for await (const known of readableProjects(dependencies, caller)) {
      if (!isNamed(known.path)) continue;
      if (isPublic === undefined || (await settingsOf(known.path)).anonymousRead === isPublic)
        found.push(known);
    }
    return await harborPage(request, found, (known) => showProject(dependencies, known, caller));
  };
}

async function tellOfProject(
  dependencies: ReadableDependencies,
  { query }: Request,
  caller: Caller,
): Promise<Response> {
  const name = query.get('project_name') ?? '';
  if (name === '') throw new Fault('invalid_request', 'say which project: ?project_name=…');
  for await (const { path } of readableProjects(dependencies, caller))
    if (path === name) return json(200, {});
  // Whoever does not say who they are hears of none that is hidden, nor that there is none.
  if (caller.kind === 'anyone' && caller !== everybody) throw notSaid();
  throw new Fault('not_found', `there is no project ${name}`);
}

export const handler = lambdaHandler('list-projects', (environment) =>
  listProjects({
    knownRepositories: knownRepositories(environment),
    settingsOf: settingsOf(environment),
    versions: versions(environment),
    pointers: pointers(environment),
    objects: objects(environment),
  }),
);
