/**
 * The table of routes: every method and path that Chartroom answers, the function behind it, and what a
 * caller must be allowed to do. infra builds the API from it, the edge checks permissions and finds
 * allowed methods by it. Plain data: this file imports nothing.
 */

/** What somebody may be allowed to do in a repository. */
export type RepositoryPermission = 'read' | 'publish' | 'maintain' | 'administer';

/**
 * What a route asks of its caller; `none` is open to everybody in every mode, `account` to every account, and
 * `anyone` to everybody too, who hear of what they may read.
 */
type Permission = 'none' | 'anyone' | 'account' | RepositoryPermission;

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

/**
 * A part of the deployment with resources of its own, of which a stack has at most 500: what Harbor's clients alone
 * call, and what is about one chart. What moves from one to another is made anew, with its log group.
 */
export type NestedStackId = 'harbor' | 'charts';

export type EndpointRoutes = {
  /** GET implies HEAD: the same function answers both. */
  readonly methods: readonly Method[];
  readonly permission: Permission;
  /** Whether the permission is needed everywhere. @default false: in the repository that the path names */
  readonly everywhere?: true;
  /** Whether the endpoint looks itself whether the repository is there. @default false: nobody gets to it if not */
  readonly asksForRepository?: true;
  /**
   * Whether it remembers for a few seconds that a repository is there and who may read it, so that a read costs no more
   * than what it reads; what was deleted or closed is served as long. @default false: it asks for each request
   */
  readonly remembersAccess?: true;
  /** The nested stack that it is deployed in. @default none: the main stack */
  readonly stack?: NestedStackId;
  readonly paths: readonly string[];
};

/** The path of a repository, by depth: the root, then one to three segments. */
const repositories = ['', '/{segment1}', '/{segment1}/{segment2}', '/{segment1}/{segment2}/{segment3}'];

/** `resource` below every depth of repository, where Helm looks for it. */
const inRepository = (resource: string) => repositories.map((repository) => `${repository}${resource}`);

/** `resource` below every depth of repository under `/api`, where ChartMuseum's clients look for it. */
const inApi = (resource: string) => repositories.map((repository) => `/api${repository}${resource}`);

/** Where a repository's settings are: `-` is no segment, so that no repository lies there. */
const inSettings = repositories.map((repository) => `/-/settings${repository}`);

/** The repositories that can be made and deleted; the root one is always there. */
const known = repositories.slice(1).map((repository) => `/-/repositories${repository}`);

const ACCOUNT = '/-/accounts/{account}';

/** Where Harbor's own API has `resource`: 2.x, and 1.x. */
const inHarbor = (resource: string) => [`/api/v2.0${resource}`, `/api${resource}`];

/** Where Harbor has the charts of a project, a repository of one segment, for Helm and by its API. */
const PROJECT = '/chartrepo/{segment1}';
const PROJECT_CHARTS = `/api${PROJECT}/charts`;

/** Where Harbor takes packages for the project `library`. */
export const LIBRARY_CHARTS = '/api/chartrepo/charts';

/** The labels of a version, as Harbor's clients find them. */
const LABELS = '/chartrepo/{segment1}/charts/{name}/{version}/labels';
const MEMBER = '/projects/{project}/members/{member}';

const READ: readonly Method[] = ['GET', 'HEAD'];

/** Key: the endpoint's id, which is the name of its file in functions/. */
export const endpoints = {
  'get-home': { methods: READ, permission: 'read', paths: ['/', '/charts'] },
  'get-health': { methods: READ, permission: 'none', paths: ['/health', '/api/chartrepo/health'] },
  'get-info': { methods: READ, permission: 'none', paths: ['/info'] },
  // `helm serve` answered below /charts too, so that both http://host and http://host/charts could be added.
  'get-index': {
    methods: READ,
    permission: 'read',
    remembersAccess: true,
    paths: [...inRepository('/index.yaml'), '/charts/index.yaml', `${PROJECT}/index.yaml`],
  },
  'get-package': {
    methods: READ,
    permission: 'read',
    remembersAccess: true,
    paths: [...inRepository('/charts/{file}'), '/charts/charts/{file}', `${PROJECT}/charts/{file}`],
  },
  // Beside the packages, so that one chart can be added as a repository at its own address.
  'get-chart-index': {
    methods: READ,
    permission: 'read',
    remembersAccess: true,
    stack: 'charts',
    paths: [
      ...inRepository('/charts/{name}/index.yaml'),
      '/charts/charts/{name}/index.yaml',
      `${PROJECT}/charts/{name}/index.yaml`,
    ],
  },
  'get-artifact-hub-file': {
    methods: READ,
    permission: 'read',
    paths: [...inRepository('/artifacthub-repo.yml'), '/charts/artifacthub-repo.yml'],
  },
  'list-charts': { methods: READ, permission: 'read', paths: inApi('/charts') },
  'get-chart': { methods: READ, permission: 'read', paths: inApi('/charts/{name}') },
  'get-version': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}') },
  'get-values': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}/values') },
  'get-templates': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}/templates') },
  'get-readme': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}/readme') },
  'get-schema': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}/schema') },
  'get-files': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}/files') },
  'get-definition': { methods: READ, permission: 'read', paths: inApi('/charts/{name}/{version}/chart') },
  'publish-package': {
    methods: ['POST'],
    permission: 'publish',
    asksForRepository: true,
    paths: [...inApi('/charts'), PROJECT_CHARTS, LIBRARY_CHARTS],
  },
  'publish-provenance': {
    methods: ['POST'],
    permission: 'publish',
    asksForRepository: true,
    paths: [...inApi('/prov'), `/api${PROJECT}/prov`],
  },
  'create-upload': {
    methods: ['POST'],
    permission: 'publish',
    asksForRepository: true,
    paths: inApi('/uploads'),
  },
  'get-upload': { methods: READ, permission: 'publish', paths: inApi('/uploads/{id}') },
  'delete-version': {
    methods: ['DELETE'],
    permission: 'maintain',
    paths: [...inApi('/charts/{name}/{version}'), `${PROJECT_CHARTS}/{name}/{version}`],
  },
  'delete-chart': {
    methods: ['DELETE'],
    permission: 'maintain',
    paths: [...inApi('/charts/{name}'), `${PROJECT_CHARTS}/{name}`],
  },
  'get-settings': { methods: READ, permission: 'administer', paths: inSettings },
  'put-settings': { methods: ['PUT'], permission: 'administer', paths: inSettings },
  'list-repositories': {
    methods: READ,
    permission: 'administer',
    everywhere: true,
    paths: ['/-/repositories'],
  },
  'get-repository': { methods: READ, permission: 'administer', asksForRepository: true, paths: known },
  'put-repository': { methods: ['PUT'], permission: 'administer', asksForRepository: true, paths: known },
  'delete-repository': {
    methods: ['DELETE'],
    permission: 'administer',
    asksForRepository: true,
    paths: known,
  },
  'get-whoami': { methods: READ, permission: 'account', paths: ['/-/whoami'] },
  'get-audit': { methods: READ, permission: 'administer', everywhere: true, paths: ['/-/audit'] },
  'list-accounts': { methods: READ, permission: 'administer', everywhere: true, paths: ['/-/accounts'] },
  'get-account': { methods: READ, permission: 'administer', everywhere: true, paths: [ACCOUNT] },
  'put-account': { methods: ['PUT'], permission: 'administer', everywhere: true, paths: [ACCOUNT] },
  'delete-account': { methods: ['DELETE'], permission: 'administer', everywhere: true, paths: [ACCOUNT] },
  'create-secret': {
    methods: ['POST'],
    permission: 'administer',
    everywhere: true,
    paths: [`${ACCOUNT}/secrets`],
  },
  'delete-secret': {
    methods: ['DELETE'],
    permission: 'administer',
    everywhere: true,
    paths: [`${ACCOUNT}/secrets/{id}`],
  },
  'list-projects': {
    methods: READ,
    permission: 'anyone',
    stack: 'harbor',
    paths: inHarbor('/projects'),
  },
  'create-project': {
    methods: ['POST'],
    permission: 'administer',
    everywhere: true,
    stack: 'harbor',
    paths: inHarbor('/projects'),
  },
  'get-project': {
    methods: ['GET'],
    permission: 'read',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}'),
  },
  // Whose a label is stands in it: what changing it asks for, the endpoint asks itself (shared/edge/labels.ts).
  'list-labels': { methods: ['GET'], permission: 'account', stack: 'harbor', paths: inHarbor('/labels') },
  'create-label': { methods: ['POST'], permission: 'account', stack: 'harbor', paths: inHarbor('/labels') },
  'get-label': { methods: ['GET'], permission: 'account', stack: 'harbor', paths: inHarbor('/labels/{id}') },
  'put-label': { methods: ['PUT'], permission: 'account', stack: 'harbor', paths: inHarbor('/labels/{id}') },
  'delete-label': {
    methods: ['DELETE'],
    permission: 'account',
    stack: 'harbor',
    paths: inHarbor('/labels/{id}'),
  },
  'list-version-labels': { methods: ['GET'], permission: 'read', stack: 'harbor', paths: inHarbor(LABELS) },
  'attach-label': { methods: ['POST'], permission: 'publish', stack: 'harbor', paths: inHarbor(LABELS) },
  'detach-label': {
    methods: ['DELETE'],
    permission: 'publish',
    stack: 'harbor',
    paths: inHarbor(`${LABELS}/{id}`),
  },
  'get-merged-index': {
    methods: READ,
    permission: 'anyone',
    stack: 'harbor',
    paths: ['/chartrepo/index.yaml'],
  },
  search: { methods: ['GET'], permission: 'anyone', stack: 'harbor', paths: inHarbor('/search') },
  'put-project': {
    methods: ['PUT'],
    permission: 'administer',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}'),
  },
  'delete-project': {
    methods: ['DELETE'],
    permission: 'administer',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}'),
  },
  'get-deletable': {
    methods: ['GET'],
    permission: 'administer',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}/_deletable'),
  },
  'list-project-repositories': {
    methods: ['GET'],
    permission: 'read',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}/repositories'),
  },
  // Harbor tells every member who the others are; a name is half of what a login needs, so a reader is not told here.
  'list-members': {
    methods: ['GET'],
    permission: 'maintain',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}/members'),
  },
  'create-member': {
    methods: ['POST'],
    permission: 'administer',
    stack: 'harbor',
    paths: inHarbor('/projects/{project}/members'),
  },
  'get-member': { methods: ['GET'], permission: 'maintain', stack: 'harbor', paths: inHarbor(MEMBER) },
  'put-member': { methods: ['PUT'], permission: 'administer', stack: 'harbor', paths: inHarbor(MEMBER) },
  'delete-member': {
    methods: ['DELETE'],
    permission: 'administer',
    stack: 'harbor',
    paths: inHarbor(MEMBER),
  },
  'get-current-user': {
    methods: ['GET'],
    permission: 'account',
    stack: 'harbor',
    paths: inHarbor('/users/current'),
  },
  'list-project-charts': {
    methods: ['GET'],
    permission: 'read',
    stack: 'harbor',
    paths: [PROJECT_CHARTS],
  },
  'list-project-versions': {
    methods: ['GET'],
    permission: 'read',
    stack: 'harbor',
    paths: [`${PROJECT_CHARTS}/{name}`],
  },
  'get-project-version': {
    methods: ['GET'],
    permission: 'read',
    stack: 'harbor',
    paths: [`${PROJECT_CHARTS}/{name}/{version}`],
  },
  'get-system-info': {
    methods: ['GET'],
    permission: 'none',
    stack: 'harbor',
    paths: inHarbor('/systeminfo'),
  },
} as const satisfies Record<string, EndpointRoutes>;

/** Answers whatever no route matches (API Gateway's `$default` route). */
export const fallback = 'answer-unknown-route';

export type EndpointId = keyof typeof endpoints | typeof fallback;

export type Route = {
  readonly method: Method;
  /** A path in API Gateway's notation; `{segment1}` to `{segment3}` name the repository. */
  readonly path: string;
  readonly handler: keyof typeof endpoints;
  readonly permission: Permission;
};

/** Every route, one row each. */
export const routes: readonly Route[] = Object.entries(endpoints).flatMap(([id, endpoint]) =>
  endpoint.paths.flatMap((path) =>
    endpoint.methods.map((method) => ({
      method,
      path,
      handler: id as keyof typeof endpoints,
      permission: endpoint.permission,
    })),
  ),
);
