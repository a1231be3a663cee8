import { NestedStack, Stack, Tags } from 'aws-cdk-lib';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { canaryName, environmentVariables } from '../shared/contract.ts';
import { type RepositorySettings, repositorySettings } from '../shared/domain/settings.ts';
import {
  type EndpointId,
  type EndpointRoutes,
  endpoints,
  fallback,
  type NestedStackId,
} from '../shared/routes.ts';
import { AdminSecret } from './admin-secret.ts';
import { bundleDirectory } from './bundle.ts';
import { Canary } from './canary.ts';
import { ChartBucket } from './chart-bucket.ts';
import { apiCors } from './cors.ts';
import { Domain } from './domain.ts';
import { Endpoint } from './endpoint.ts';
import { canary, endpointIds, indexer, reconciler, repairer, schemaChecker, seeder } from './functions.ts';
import { Indexer } from './indexer.ts';
import { keyOf } from './key.ts';
import { configureLogGroups } from './log-groups.ts';
import { MetadataTable } from './metadata-table.ts';
import { grantNeeds, type Needs } from './needs.ts';
import { Operations } from './operations.ts';
import { type Admin, addOutputs } from './outputs.ts';
import { SchemaCheck } from './schema-check.ts';
import { Seeder } from './seeder.ts';
import type { Settings } from './settings.ts';
import { configureStage } from './stage.ts';
import { tokenSettings } from './token-settings.ts';
import { Reconciler, Repairer } from './upkeep.ts';

const chartFiles: Needs = { table: ['Query'], objects: { files: ['GetObject', 'ListBucket'] } };

/** Parts are put as objects are, and copied from the index before; what failed is given up. */
const puttingAnIndex = ['GetObject', 'PutObject', 'AbortMultipartUpload'] as const;

/**
 * To read the current index: a stale one is refreshed, and the indexer is asked for a full rebuild by an object
 * in the inbox.
 */
const indexNeeds: Needs = {
  table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
  marks: true,
  audit: 'write',
  objects: { index: [...puttingAnIndex, 'ListBucket'], inbox: ['PutObject'] },
};

/** To count the charts of a project, by the index's ranges and what is marked. */
const countNeeds: Needs = {
  table: ['GetItem', 'Query'],
  marks: true,
  objects: { index: ['GetObject', 'ListBucket'] },
};

/** To change who has a role in a project: each is a grant of an account. */
const memberNeeds: Needs = {
  known: ['Query'],
  accounts: ['Query', 'GetItem', 'PutItem'],
  audit: 'write',
};

/** What each endpoint of shared/routes.ts calls; its role allows this and no more. */
const endpointNeeds: Record<EndpointId, Needs> = {
  'get-home': indexNeeds,
  'get-health': {},
  'get-info': {},
  'get-index': indexNeeds,
  // A signed URL can do what its signer may: reading packages is signed here.
  'get-package': { table: ['GetItem'], objects: { charts: ['GetObject', 'ListBucket'] } },
  // A large one is put into the bucket, and its reading is signed here.
  'get-chart-index': {
    table: ['Query'],
    objects: { mergedChart: ['GetObject', 'PutObject', 'ListBucket'] },
  },
  'list-charts': indexNeeds,
  'get-chart': { table: ['Query'] },
  'get-version': { table: ['Query'] },
  'get-values': chartFiles,
  'get-templates': chartFiles,
  'get-readme': chartFiles,
  'get-schema': chartFiles,
  'get-files': chartFiles,
  'get-definition': chartFiles,
  'get-artifact-hub-file': { table: ['GetItem'] },
  // It counts what there is by pointer and marks, and deletes what is beyond the number of versions to keep.
  'publish-package': {
    table: ['GetItem', 'Query', 'UpdateItem'],
    marks: true,
    objects: {
      charts: ['GetObject', 'ListBucket', 'PutObject', 'DeleteObject'],
      files: ['PutObject', 'DeleteObject'],
    },
  },
  'publish-provenance': { table: ['GetItem', 'UpdateItem'], objects: { charts: ['PutObject'] } },
  // It signs for whoever uploads: they may do what it may.
  'create-upload': { table: ['PutItem'], objects: { inbox: ['PutObject'] } },
  'get-upload': { table: ['GetItem'] },
  'get-settings': { table: ['GetItem'] },
  // Where the index is to list more or fewer versions, the indexer is asked for a new one by an object in the inbox.
  'put-settings': { table: ['GetItem', 'PutItem'], audit: 'write', objects: { inbox: ['PutObject'] } },
  'list-repositories': { known: ['Query'] },
  'get-repository': { table: ['GetItem'], known: ['GetItem'] },
  'put-repository': { known: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-repository': { table: ['GetItem'], known: ['GetItem', 'PutItem'], audit: 'write' },
  'get-whoami': {},
  'list-projects': { ...countNeeds, known: ['Query', 'GetItem'] },
  'create-project': {
    table: ['GetItem', 'Query', 'PutItem'],
    marks: true,
    known: ['GetItem', 'PutItem'],
    // What is left of one that was deleted.
    labels: ['Query', 'GetItem', 'DeleteItem'],
    accounts: ['Query', 'GetItem', 'PutItem'],
    audit: 'write',
  },
  // A project may be asked for by its number, which only all of them tell.
  'get-project': { ...countNeeds, known: ['Query'] },
  'put-project': { table: ['GetItem', 'PutItem'], known: ['Query'], audit: 'write' },
  'delete-project': {
    table: ['GetItem', 'Query'],
    marks: true,
    known: ['Query', 'GetItem', 'PutItem'],
    accounts: ['Query', 'GetItem', 'PutItem'],
    audit: 'write',
  },
  'get-deletable': { table: ['GetItem', 'Query'], marks: true, known: ['Query'] },
  'list-project-repositories': { known: ['Query'] },
  'list-members': { known: ['Query'], accounts: ['Query'] },
  'create-member': memberNeeds,
  'get-member': { known: ['Query'], accounts: ['Query'] },
  'put-member': memberNeeds,
  'delete-member': memberNeeds,
  'get-current-user': {},
  'list-project-charts': indexNeeds,
  'list-project-versions': { table: ['Query'], labels: ['Query'] },
  'get-project-version': {
    table: ['GetItem'],
    labels: ['Query'],
    objects: { files: ['GetObject', 'ListBucket'] },
  },
  'get-system-info': {},
  'list-labels': { table: ['GetItem'], known: ['Query'], labels: ['Query'] },
  'create-label': { table: ['GetItem'], known: ['Query'], labels: ['Query', 'PutItem'], audit: 'write' },
  'get-label': { table: ['GetItem'], known: ['GetItem'], labels: ['GetItem'] },
  // Whoever gives a label another name deletes the item of the one before.
  'put-label': {
    table: ['GetItem'],
    known: ['GetItem'],
    labels: ['GetItem', 'Query', 'PutItem', 'DeleteItem'],
    audit: 'write',
  },
  'delete-label': {
    table: ['GetItem'],
    known: ['GetItem'],
    labels: ['GetItem', 'DeleteItem'],
    audit: 'write',
  },
  'list-version-labels': { table: ['GetItem'], labels: ['Query'] },
  'attach-label': { table: ['GetItem', 'UpdateItem'], labels: ['GetItem'] },
  'detach-label': { table: ['GetItem', 'UpdateItem'] },
  // A large one is put into the bucket, and its reading is signed here.
  'get-merged-index': {
    ...indexNeeds,
    known: ['Query'],
    objects: { ...indexNeeds.objects, mergedProjects: ['GetObject', 'PutObject', 'ListBucket'] },
  },
  search: { ...indexNeeds, known: ['Query'] },
  'get-audit': { audit: 'read' },
  'list-accounts': { accounts: ['Query'] },
  'get-account': { accounts: ['GetItem'] },
  'put-account': { accounts: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-account': { accounts: ['DeleteItem'], audit: 'write' },
  'create-secret': { accounts: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-secret': { accounts: ['GetItem', 'PutItem'], audit: 'write' },
  'delete-version': {
    table: ['GetItem', 'UpdateItem'],
    objects: { charts: ['DeleteObject'], files: ['DeleteObject'] },
  },
  'delete-chart': {
    table: ['GetItem', 'Query', 'UpdateItem'],
    objects: { charts: ['DeleteObject'], files: ['DeleteObject'] },
  },
  [fallback]: {},
};

/** To see who calls: the account, when its secret was used, and how often somebody was wrong about it. */
const callerNeeds: Needs = {
  accounts: ['GetItem'],
  canary: ['GetItem'],
  uses: true,
  failures: ['GetItem', 'UpdateItem'],
};

/** To see whether the repository is open to all readers. */
const readerNeeds: Needs = { table: ['GetItem'] };

/** To make the admin's account, or to give it its password again. */
const seedNeeds: Needs = { accounts: ['GetItem', 'PutItem'], audit: 'write' };

/** To see by which schema the items are written, and to note it where nothing is noted. */
const schemaNeeds: Needs = { deployment: ['GetItem', 'PutItem'] };
/** To make its repository and, with closed access, a secret of its own; the rest it does as a client. */
const canaryNeeds: Needs = {
  table: ['GetItem', 'PutItem'],
  onlyIn: canaryName,
  known: ['GetItem', 'PutItem'],
  audit: 'write',
};
const canaryAccountNeeds: Needs = { canary: ['GetItem', 'PutItem'] };

/** To see whether the repository is there that a path names. */
const gateNeeds: Needs = { known: ['GetItem'] };

/** To make a repository by publishing to it. */
const makerNeeds: Needs = { known: ['PutItem'], audit: 'write' };

/** To remove objects from the bucket's history too. */
const forGood = ['ListBucketVersions', 'DeleteObjectVersion'] as const;

const indexerNeeds: Needs = {
  known: ['GetItem'],
  table: ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'],
  marks: true,
  audit: 'write',
  objects: {
    // HEAD, which is a GET to S3: is the package of a reservation there, is a rebuild still asked for?
    charts: ['GetObject', 'ListBucket', 'PutObject', 'DeleteObject'],
    files: ['PutObject', 'DeleteObject'],
    inbox: ['GetObject', 'GetObjectVersion', 'DeleteObject', 'ListBucket', ...forGood],
    rejected: ['PutObject'],
    index: [...puttingAnIndex, 'ListBucket', ...forGood],
  },
};

/** Reconciliation and repair differ in what they may decide, not in what they touch. */
const upkeepNeeds: Needs = {
  known: ['GetItem'],
  table: ['GetItem', 'Query', 'Scan', 'PutItem', 'UpdateItem', 'DeleteItem'],
  marks: true,
  audit: 'write',
  repositories: true,
  objects: {
    charts: ['GetObject', 'DeleteObject', 'ListBucket'],
    files: ['GetObject', 'PutObject', 'DeleteObject', 'ListBucket'],
    index: [...puttingAnIndex, 'ListBucket', ...forGood],
    // To ask the indexer to look there once more.
    inbox: ['PutObject', 'ListBucket'],
  },
};

/** A pass goes on where the one before it stopped. */
const passNeeds: Needs = { progress: true };

/** To remove what is left of a deleted repository, with all that the bucket ever held of it. */
const removalNeeds: Needs = {
  known: ['Query', 'DeleteItem'],
  labels: ['GetItem', 'Query', 'DeleteItem'],
  objects: { charts: forGood, files: forGood, index: forGood, inbox: forGood, rejected: forGood },
};

/** Handlers that hold a whole package or index in memory; the CPU that comes with it is what unpacks and renders. */
const largeEndpoints: readonly EndpointId[] = [
  'publish-package',
  'get-index',
  'get-chart-index',
  'list-charts',
  'list-project-charts',
  'get-home',
];

/** Handlers that may hold several indexes. */
const largestEndpoints: readonly EndpointId[] = ['get-merged-index', 'search'];

function memoryOf(endpoint: EndpointId): number {
  if (largestEndpoints.includes(endpoint)) return 2048;
  return largeEndpoints.includes(endpoint) ? 1024 : 512;
}

export type ChartroomStackProps = {
  readonly settings: Settings;
  /** Folder of the bundles. @default dist/functions */
  readonly bundles?: string;
};

type DeploymentParts = {
  readonly metadata: MetadataTable;
  readonly charts: ChartBucket;
  readonly key: IKey | undefined;
  readonly bundles: string;
  readonly environment: Record<string, string>;
};

/** A whole Chartroom: one table, one bucket, one API, a function for each endpoint and one for the events. */
export class ChartroomStack extends Stack {
  constructor(scope: Construct, id: string, { settings, bundles = bundleDirectory }: ChartroomStackProps) {
    super(scope, id, { description: 'Chartroom: a Helm chart repository without servers' });
    for (const [name, value] of Object.entries(settings.tags)) Tags.of(this).add(name, value);
    configureLogGroups(this, settings);
    const key = keyOf(this, settings);
    const metadata = new MetadataTable(this, 'Metadata', { key });
    const { corsAllowOrigin } = settings;
    const cors = corsAllowOrigin !== '';
    const charts = new ChartBucket(this, 'Charts', { cors, key });
    const api = new HttpApi(this, 'Api', {
      description: 'Chartroom',
      ...(settings.disableExecuteApiEndpoint && { disableExecuteApiEndpoint: true }),
      ...(cors && { corsPreflight: apiCors(corsAllowOrigin) }),
    });
    configureStage(api, settings);
    const domain = settings.domainName === '' ? undefined : new Domain(this, 'Domain', { api, ...settings });
    const isClosed = settings.access === 'closed';
    const tokens = tokenSettings(settings);
    const makesRepositories = settings.access === 'open' || settings.createOnPublish;
    const environment = {
      [environmentVariables.table]: metadata.table.tableName,
      [environmentVariables.bucket]: charts.bucket.bucketName,
      ...settingsEnvironment(settings),
    };

    const ids = endpointsOf(settings);
    const stacks = this.#nestedStacks(ids);

    for (const endpoint of ids) {
      const construct = new Endpoint(stacks.get(stackOf(endpoint)) ?? this, endpoint, {
        api,
        endpoint,
        bundles,
        environment,
        memoryMegabytes: memoryOf(endpoint),
        apiEnabled: settings.apiEnabled,
      });
      grantNeeds(construct, endpointNeeds[endpoint], { metadata, charts });
      if (namesRepository(endpoint)) grantNeeds(construct, gateNeeds, { metadata, charts });
      if (makesRepositories && publishers.includes(endpoint)) {
        grantNeeds(construct, makerNeeds, { metadata, charts });
      }
      if (isClosed && asksWhoCalls(endpoint)) {
        grantNeeds(construct, callerNeeds, { metadata, charts });
        if (asksAboutReaders(endpoint)) grantNeeds(construct, readerNeeds, { metadata, charts });
        if (tokens !== undefined) {
          construct.function.addEnvironment(environmentVariables.tokens, JSON.stringify(tokens));
        }
      }
    }

    const indexing = new Indexer(this, indexer, { bucket: charts.bucket, key, bundles, environment });
    grantNeeds(indexing, indexerNeeds, { metadata, charts });
    if (makesRepositories) grantNeeds(indexing, makerNeeds, { metadata, charts });

    const repair = new Repairer(this, repairer, { bundles, environment });
    const reconciling = new Reconciler(this, reconciler, { bundles, environment });
    for (const upkeep of [reconciling, repair]) grantNeeds(upkeep, upkeepNeeds, { metadata, charts });
    for (const needs of [passNeeds, removalNeeds]) grantNeeds(reconciling, needs, { metadata, charts });

    // Without the API it could not publish.
    const canaryMinutes = settings.apiEnabled ? settings.canaryMinutes : 0;
    if (canaryMinutes > 0) {
      const nested = new NestedStack(this, 'Canary', { description: 'Chartroom: what does as clients do' });
      const address = domain?.url ?? api.apiEndpoint;
      const running = new Canary(nested, canary, { bundles, environment, address, minutes: canaryMinutes });
      grantNeeds(running, { ...canaryNeeds, ...(isClosed && canaryAccountNeeds) }, { metadata, charts });
    }

    const admin = isClosed ? this.#seedAdmin({ metadata, charts, key, bundles, environment }) : undefined;
    const { table } = metadata;
    const { stackName } = settings;
    const operations = settings.alarms
      ? new Operations(this, 'Operations', {
          alarmEmail: settings.alarmEmail,
          runbookUrl: settings.runbookUrl,
          watched: { stackName, api, table, indexing, reconciling, repair, canaryMinutes },
        })
      : undefined;
    this.#checkSchema({ metadata, charts, bundles, environment });
    addOutputs(this, {
      api,
      domain,
      apiEnabled: settings.apiEnabled,
      metadata,
      charts,
      indexing,
      repair,
      operations,
      admin,
    });
  }

  /** Those that something is deployed in. */
  #nestedStacks(ids: readonly EndpointId[]): ReadonlyMap<NestedStackId | undefined, Stack> {
    const used = Object.entries(nestedStacks).filter(([id]) => ids.some((each) => stackOf(each) === id));
    return new Map(
      used.map(([id, { construct, what }]) => [
        id as NestedStackId,
        new NestedStack(this, construct, { description: `Chartroom: ${what}` }),
      ]),
    );
  }

  /** In a stack of its own: nothing else is changed before that is done. */
  #checkSchema({ metadata, charts, bundles, environment }: Omit<DeploymentParts, 'key'>): void {
    const stack = new NestedStack(this, 'Data', { description: 'Chartroom: what looks at the data first' });
    const check = new SchemaCheck(stack, schemaChecker, { bundles, environment, metadata });
    grantNeeds(check, schemaNeeds, { metadata, charts });
    check.before(this);
  }

  #seedAdmin({ metadata, charts, key, bundles, environment }: DeploymentParts): Admin {
    const secret = new AdminSecret(this, 'Admin', { key });
    const seed = new Seeder(this, seeder, { bundles, environment, secret, metadata });
    grantNeeds(seed, seedNeeds, { metadata, charts });
    return { secret, seed };
  }
}

/** Without the API, what serves nothing else is not deployed at all. */
const endpointsOf = ({ apiEnabled }: Settings): readonly EndpointId[] => [
  ...endpointIds.filter((id) => apiEnabled || !endpoints[id].paths.every((path) => path.startsWith('/api/'))),
  fallback,
];

/** Their ids, which name all that is in them, and what that is. */
const nestedStacks: Record<NestedStackId, { readonly construct: string; readonly what: string }> = {
  harbor: { construct: 'Harbor', what: "what Harbor's clients call" },
  charts: { construct: 'OneChart', what: 'what is about one chart' },
};

function stackOf(endpoint: EndpointId): NestedStackId | undefined {
  if (endpoint === fallback) return undefined;
  const { stack }: EndpointRoutes = endpoints[endpoint];
  return stack;
}

const asksWhoCalls = (endpoint: EndpointId): boolean =>
  endpoint !== fallback && endpoints[endpoint].permission !== 'none';

/** Whoever may not do it in one repository hears whether they may read that. */
function asksAboutReaders(endpoint: EndpointId): boolean {
  if (endpoint === fallback) return false;
  const { permission, everywhere }: EndpointRoutes = endpoints[endpoint];
  return permission !== 'account' && permission !== 'anyone' && everywhere !== true;
}

/** Those that publish at once; the others leave it to the indexer. */
const publishers: readonly EndpointId[] = ['publish-package', 'publish-provenance'];

/** Whether it is about a repository other than the root one, which is always there. */
function namesRepository(endpoint: EndpointId): boolean {
  if (endpoint === fallback) return false;
  const { paths, permission }: EndpointRoutes = endpoints[endpoint];
  return permission !== 'none' && paths.some((path) => /{(segment1|project)}/.test(path));
}

/** What the deployment says for all repositories. */
function repositoryPart(settings: Settings): RepositorySettings {
  const keys = Object.keys(repositorySettings) as (keyof RepositorySettings)[];
  return Object.fromEntries(keys.map((key) => [key, settings[key]])) as RepositorySettings;
}

/** The part of the environment that comes from the settings. */
function settingsEnvironment(settings: Settings): Record<string, string> {
  const { indexFormat: format, chartUrl, contextPath } = settings;
  return {
    // By this the metrics of one deployment are told from another's.
    [environmentVariables.serviceName]: settings.stackName,
    [environmentVariables.access]: settings.access,
    [environmentVariables.indexSettings]: JSON.stringify({ format, chartUrl, contextPath }),
    [environmentVariables.maxUploadBytes]: String(settings.maxUploadBytes),
    [environmentVariables.maxPackageBytes]: String(settings.maxPackageBytes),
    [environmentVariables.formFields]: JSON.stringify({
      chart: settings.chartFormField,
      prov: settings.provFormField,
    }),
    [environmentVariables.repositorySettings]: JSON.stringify(repositoryPart(settings)),
    [environmentVariables.createOnPublish]: String(settings.createOnPublish),
    [environmentVariables.apiEnabled]: String(settings.apiEnabled),
    [environmentVariables.auditDays]: String(settings.auditDays),
  };
}
