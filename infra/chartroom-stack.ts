import { NestedStack, Stack, Tags } from 'aws-cdk-lib';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { environmentVariables } from '../shared/contract.ts';
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
import {
  callerNeeds,
  canaryAccountNeeds,
  canaryNeeds,
  endpointNeeds,
  gateNeeds,
  indexerNeeds,
  makerNeeds,
  passNeeds,
  readerNeeds,
  removalNeeds,
  schemaNeeds,
  seedNeeds,
  upkeepNeeds,
} from './function-needs.ts';
import { canary, endpointIds, indexer, reconciler, repairer, schemaChecker, seeder } from './functions.ts';
import { Indexer } from './indexer.ts';
import { keyOf } from './key.ts';
import { configureLogGroups } from './log-groups.ts';
import { MetadataTable } from './metadata-table.ts';
import { grantNeeds } from './needs.ts';
import { Operations } from './operations.ts';
import { type Admin, addOutputs } from './outputs.ts';
import { SchemaCheck } from './schema-check.ts';
import { Seeder } from './seeder.ts';
import type { Settings } from './settings.ts';
import { configureStage } from './stage.ts';
import { tokenSettings } from './token-settings.ts';
import { Reconciler, Repairer } from './upkeep.ts';

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
