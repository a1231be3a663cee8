import { collect } from '../shared/async-iteration.ts';
import type { Caller } from '../shared/domain/access.ts';
import { Fault } from '../shared/domain/fault.ts';
import type { KnownRepository } from '../shared/domain/known-repository.ts';
import { parseProjectFilter } from '../shared/domain/project.ts';
import { asRepository } from '../shared/domain/repository.ts';
import { notSaid } from '../shared/edge/authenticate.ts';
import { objects } from '../shared/edge/bucket-environment.ts';
import { knownRepositories, pointers, settingsOf, versions } from '../shared/edge/environment.ts';
import { harborPage } from '../shared/edge/harbor-pages.ts';
import { lambdaHandler } from '../shared/edge/lambda-handler.ts';
import type { Request } from '../shared/edge/request.ts';
import { json, type Response } from '../shared/edge/response.ts';
import { type Endpoint, everybody } from '../shared/edge/serve.ts';
import { isReadableProject, onlyThose, readableProjects, readingOnce } from '../shared/readable-projects.ts';
import { type ShowDependencies, showProject } from '../shared/show-project.ts';
import type { KnownRepositoryStore } from '../shared/store/known-repository-store.ts';

type Dependencies = ShowDependencies & {
  readonly knownRepositories: Pick<KnownRepositoryStore, 'all' | 'get'>;
};

/**
 * GET /api/v2.0/projects: the projects that the caller may read, by name, a page at a time; HEAD tells whether one is
 * among them.
 */
export function listProjects(dependencies: Dependencies): Endpoint {
  return async (request, caller) => {
    if (request.method === 'HEAD') return await tellOfProject(dependencies, request, caller);
    const { isNamed, isPublic } = parseProjectFilter(request.query);
    const settingsOf = readingOnce(dependencies.settingsOf);
    const reading = { ...dependencies, settingsOf };
    const readable = await collect(readableProjects(reading, caller, isNamed));
    const isSo = async ({ path }: KnownRepository) => (await settingsOf(path)).anonymousRead === isPublic;
    const found = isPublic === undefined ? readable : await onlyThose(readable, isSo);
    return await harborPage(request, found, (known) => showProject(reading, known, caller));
  };
}

async function tellOfProject(
  dependencies: Dependencies,
  { query }: Request,
  caller: Caller,
): Promise<Response> {
  const name = query.get('project_name') ?? '';
  if (name === '') throw new Fault('invalid_request', 'say which project: ?project_name=…');
  const path = asRepository([name]);
  if (path !== undefined && (await isReadableProject(dependencies, caller, path))) return json(200, {});
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
