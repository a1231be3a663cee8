import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Advertised, advertise } from './address.ts';
import { jsonServices } from './aws-json.ts';
import { type DataFolder, takeDataFolder } from './data-folder.ts';
import type { Fate, StoreCall } from './faults.ts';
import { functionsOf, type LambdaFunction, type Log } from './functions.ts';
import { gateway, routesOf } from './gateway.ts';
import type { Route } from './http-event.ts';
import { bind, listen } from './listen.ts';
import { type Queue, queuesOf } from './queue.ts';
import { s3 } from './s3.ts';
import { Bucket } from './s3-bucket.ts';
import {
  type Change,
  type EventRecord,
  eventRecord,
  type NotificationConfiguration,
  queuesFor,
} from './s3-events.ts';
import { ObjectFiles } from './s3-objects.ts';
import { synthesize } from './synthesize.ts';
import { nameInArn, readAssembly, region, type Template } from './template.ts';

export type LocalOptions = {
  /** @default a free one */
  readonly port?: number;
  /** Port of S3. @default a free one */
  readonly storePort?: number;
  /** Address for other machines to reach this one by. @default loopback only */
  readonly address?: string;
  /** Where table and bucket live. @default a temporary folder, removed by `stop` */
  readonly dataDir?: string;
  /** @default 'open'; an `assembly` decides this itself */
  readonly access?: 'open' | 'closed';
  /** @default a random one */
  readonly adminPassword?: string;
  /** Folder of an assembly that is synthesized already. */
  readonly assembly?: string;
  /** Receives one JSON object a line. @default nobody */
  readonly log?: Log;
  /** How many events one function works on at the same time. @default 8 */
  readonly environmentsPerFunction?: number;
  /** Replaces the queues' visibility timeouts. */
  readonly retryAfterMs?: number;
};

export type LocalStack = {
  readonly url: string;
  readonly storeUrl: string;
  /** Set when the stack has a secret, which is when access is closed. */
  readonly adminPassword: string | undefined;
  readonly bucketName: string;
  readonly tableName: string;
  /** What an AWS SDK client needs to look into the stores. */
  readonly clientConfig: {
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
    readonly endpoints: { readonly s3: string; readonly dynamodb: string; readonly secretsManager: string };
  };
  /** Decides the fate of each call that a function makes to a store. */
  intercept: ((call: StoreCall) => Fate) | undefined;
  /** Decides after how many milliseconds each copy of an S3 event arrives; an empty list loses it. */
  deliver: ((record: EventRecord) => readonly number[]) | undefined;
  /** Resolves when no message waits, hidden ones included, and no function runs. */
  idle(): Promise<void>;
  /** What was received too often, by queue. */
  deadLetters(): Readonly<Record<string, readonly string[]>>;
  stop(): Promise<void>;
};

// The access key of whoever holds `clientConfig`; a function's is its logical id.
const VISITOR = 'visitor';

type BucketProperties = {
  readonly NotificationConfiguration?: NotificationConfiguration;
};

/** The parts of a stack while it runs; what is not there yet answers 503 or 404. */
class Running {
  intercept: LocalStack['intercept'];
  deliver: LocalStack['deliver'];
  routes: readonly Route<LambdaFunction>[] | undefined;
  functions: ReadonlyMap<string, LambdaFunction> = new Map();
  queues: ReadonlyMap<string, Queue> = new Map();
  readonly buckets: Bucket[] = [];
  readonly secret = randomBytes(20).toString('hex');
  readonly #closers: (() => unknown)[] = [];

  readonly faults = {
    decide: (call: StoreCall) => this.intercept?.(call) ?? 'pass',
    kill: async (environment: string) => {
      for (const one of this.functions.values()) await one.kill(environment);
    },
  };

  readonly secrets = (id: string) => (id === VISITOR || this.functions.has(id) ? this.secret : undefined);

  /** What `stop` does, last first. */
  onStop(closer: () => unknown): void {
    this.#closers.unshift(closer);
  }

  async stop(): Promise<void> {
    for (const closer of this.#closers.splice(0)) await closer();
  }

  openBuckets(template: Template, folder: string): void {
    for (const { id, properties } of template.resources<BucketProperties>('AWS::S3::Bucket')) {
      const name = id.toLowerCase();
      const files = new ObjectFiles(path.join(folder, 's3', name));
      this.onStop(() => files.close());
      const changed = (change: Change) => this.#notify(name, change, properties.NotificationConfiguration);
      this.buckets.push(new Bucket({ name, files, changed, secrets: this.secrets }));
    }
  }

  #notify(bucket: string, change: Change, configuration: NotificationConfiguration | undefined): void {
    for (const arn of queuesFor(configuration, change)) {
      const record = eventRecord(bucket, change);
      for (const delayMs of this.deliver?.(record) ?? [0]) {
        this.queues.get(nameInArn(arn))?.send(JSON.stringify({ Records: [record] }), delayMs);
      }
    }
  }

  get #deadLetterQueues(): ReadonlySet<Queue> {
    return new Set([...this.queues.values()].filter(({ consumer }) => consumer === undefined));
  }

  async idle(): Promise<void> {
    const dead = this.#deadLetterQueues;
    const busy = () =>
      [...this.queues.values()].some((queue) => !dead.has(queue) && queue.bodies.length > 0) ||
      [...this.functions.values()].some((one) => one.busy);
    while (busy()) await sleep(10);
  }

  deadLetters(): Readonly<Record<string, readonly string[]>> {
    return Object.fromEntries([...this.#deadLetterQueues].map(({ name, bodies }) => [name, bodies]));
  }
}

/** The folder of the template to run, synthesized now unless it is given. */
async function assemblyOf({ assembly, access = 'open' }: LocalOptions, data: DataFolder): Promise<string> {
  if (assembly !== undefined) return assembly;
  const reason = access === 'open' && { accessReason: 'runs on this computer only' };
  const outDir = path.join(data.path, 'assembly');
  rmSync(outDir, { recursive: true, force: true });
  return await synthesize({ outDir, context: { access, ...reason } });
}

/** Variables of every function, besides its own. */
const surroundings = (s3Url: string, jsonUrl: string, secret: string) => ({
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_ENDPOINT_URL_S3: s3Url,
  AWS_ENDPOINT_URL_DYNAMODB: jsonUrl,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: jsonUrl,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_EXECUTION_ENV: 'local',
  // The runner's Node may be older than the one the functions are deployed on.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  TZ: ':UTC',
});

/** Runs the synthesized stack on this computer. @throws what keeps it from starting, after undoing the rest */
export async function startLocal(options: LocalOptions = {}): Promise<LocalStack> {
  const running = new Running();
  try {
    return await start(options, running);
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function start(options: LocalOptions, running: Running): Promise<LocalStack> {
  const data = takeDataFolder(options.dataDir);
  running.onStop(data.release);
  const advertised = await advertise(options.address);
  const ports = await openPorts(options, running, advertised);
  const assembly = await assemblyOf(options, data);
  const template = readAssembly(assembly, ports.url);
  const adminPassword = options.adminPassword ?? randomBytes(15).toString('base64url');
  const json = jsonServices(
    options.dataDir === undefined ? undefined : path.join(data.path, 'dynamodb'),
    running.secrets,
    running.faults,
  );
  const jsonUrl = `http://127.0.0.1:${await bind(json.server, '127.0.0.1', 0)}`;
  running.onStop(() => json.close());
  await json.start(template, adminPassword);
  running.openBuckets(template, data.path);
  running.functions = functionsOf(template, {
    surroundings: surroundings(ports.storeUrl, jsonUrl, running.secret),
    most: options.environmentsPerFunction ?? 8,
    log: options.log ?? (() => {}),
  });
  running.queues = queuesOf(template, running.functions, options.retryAfterMs);
  running.onStop(() => Promise.all([...running.functions.values()].map((one) => one.kill())));
  running.onStop(() => [...running.queues.values()].map((queue) => queue.stop()));
  running.routes = routesOf(template, running.functions);
  const closed = template.resources('AWS::SecretsManager::Secret').length > 0;
  const [table] = template.resources('AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable');
  return Object.assign(running, {
    ...ports,
    adminPassword: closed ? adminPassword : undefined,
    bucketName: running.buckets[0]?.name ?? '',
    tableName: table?.id ?? '',
    clientConfig: {
      region,
      credentials: { accessKeyId: VISITOR, secretAccessKey: running.secret },
      endpoints: { s3: ports.storeUrl, dynamodb: jsonUrl, secretsManager: jsonUrl },
    },
  });
}

/** Takes the ports before the slow steps, so that a taken one is told at once. */
async function openPorts(options: LocalOptions, running: Running, { hosts, apiHost, storeHost }: Advertised) {
  const api = await listen(
    gateway(() => running.routes),
    hosts,
    options.port ?? 0,
  );
  running.onStop(api.close);
  const front = s3({
    bucket: () => running.buckets[0],
    secrets: running.secrets,
    faults: running.faults,
    tolerateHeader: options.address !== undefined,
  });
  const store = await listen(front, hosts.slice(0, 1), options.storePort ?? 0);
  running.onStop(store.close);
  return { url: `http://${apiHost}:${api.port}`, storeUrl: `http://${storeHost}:${store.port}` };
}

export { synthesize } from './synthesize.ts';
