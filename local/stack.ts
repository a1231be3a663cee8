import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTables, jsonServices } from './aws-json.ts';
import { takeDataFolder } from './data-folder.ts';
import type { Fate, StoreCall } from './faults.ts';
import { type Functions, functionsOf, type Log } from './functions.ts';
import { gateway, type Routes, routesOf } from './gateway.ts';
import { invocationListener, invokeByName } from './invoke.ts';
import { advertise, bind, close } from './listen.ts';
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
import { startSchedules } from './schedules.ts';
import { synthesize } from './synthesize.ts';
import { nameInArn, readAssembly, region, type Template } from './template.ts';

export type LocalOptions = {
  /** @default a free one */
  readonly port?: number;
  /** Port of S3. @default a free one */
  readonly storePort?: number;
  /** Address for other machines to reach this one by. @default loopback only */
  readonly address?: string;
  /** Where table, bucket and queues live. @default a temporary folder, removed by `stop` */
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
  /** Runs a function, called by the beginning of its logical id; see {@link invokeByName}. */
  invoke(functionName: string, payload?: unknown): Promise<unknown>;
  /** Resolves when no message waits, hidden ones included, and no function runs. */
  idle(): Promise<void>;
  /** What was received too often, by queue. */
  deadLetters(): Readonly<Record<string, readonly string[]>>;
  stop(): Promise<void>;
};

// The access key of whoever holds `clientConfig`; a function's is its logical id.
const VISITOR = 'visitor';

/** The parts of a stack while it runs; what is not there yet answers 503 or 404. */
class Running {
  intercept: LocalStack['intercept'];
  deliver: LocalStack['deliver'];
  routes: Routes | undefined;
  functions: Functions = new Map();
  queues: ReadonlyMap<string, Queue> = new Map();
  bucket: Bucket | undefined;
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

  /** Serves on a port as long as the stack runs. @returns the port */
  async listen(listener: RequestListener, host: string, port = 0): Promise<number> {
    const server = createServer(listener);
    const bound = await bind(server, host, port);
    this.onStop(() => close(server));
    return bound;
  }

  openBucket(template: Template, folder: string): void {
    type Properties = { readonly NotificationConfiguration?: NotificationConfiguration };
    const [declared] = template.resources<Properties>('AWS::S3::Bucket');
    if (declared === undefined) return;
    const name = declared.id.toLowerCase();
    const files = new ObjectFiles(path.join(folder, 's3', name));
    this.onStop(() => files.close());
    const changed = (change: Change) => {
      const record = eventRecord(name, change);
      for (const arn of queuesFor(declared.properties.NotificationConfiguration, change)) {
        for (const delayMs of this.deliver?.(record) ?? [0]) {
          this.queues.get(nameInArn(arn))?.send(JSON.stringify({ Records: [record] }), delayMs);
        }
      }
    };
    this.bucket = new Bucket({ name, files, changed, secrets: this.secrets });
  }

  async invoke(functionName: string, payload?: unknown): Promise<unknown> {
    while (this.routes === undefined) await sleep(50, undefined, { ref: false }); // the stack still starts
    return await invokeByName(this.functions, functionName, payload);
  }

  async idle(): Promise<void> {
    const busy = () =>
      [...this.queues.values()].some(({ consumed, bodies }) => consumed && bodies.length > 0) ||
      [...this.functions.values()].some((one) => one.busy);
    while (busy()) await sleep(10);
  }

  deadLetters(): Readonly<Record<string, readonly string[]>> {
    const dead = [...this.queues.values()].filter(({ consumed }) => !consumed);
    return Object.fromEntries(dead.map(({ name, bodies }) => [name, bodies]));
  }
}

/** The folder of the template to run, synthesized now unless it is given. */
async function assemblyOf({ assembly, access = 'open' }: LocalOptions, folder: string): Promise<string> {
  if (assembly !== undefined) return assembly;
  const reason = access === 'open' && { accessReason: 'runs on this computer only' };
  const outDir = path.join(folder, 'assembly');
  rmSync(outDir, { recursive: true, force: true });
  return await synthesize({ outDir, context: { access, ...reason } });
}

/** Variables of every function, besides its own. */
const surroundings = (s3Url: string, jsonUrl: string, secret: string) => ({
  AWS_REGION: region,
  AWS_SECRET_ACCESS_KEY: secret,
  AWS_ENDPOINT_URL_S3: s3Url,
  AWS_ENDPOINT_URL_DYNAMODB: jsonUrl,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: jsonUrl,
  // The runner's Node may be older than the one the functions are deployed on.
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  TZ: ':UTC',
});

/**
 * Runs the synthesized stack on this computer. Over a data folder it may be killed at any moment: what was
 * acknowledged is there at the next start, and messages in the queues too; uploads in parts begin anew.
 *
 * @throws what keeps it from starting, after undoing the rest
 */
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
  const { dataDir, adminPassword = randomBytes(15).toString('base64url') } = options;
  const { secret, secrets, faults } = running;
  const control = invocationListener(secret, running);
  const controlUrl = `http://127.0.0.1:${await running.listen(control, '127.0.0.1')}`;
  const data = await takeDataFolder(dataDir, { pid: process.pid, url: controlUrl, secret });
  running.onStop(data.release);
  // The ports before the slow steps, so that a taken one is told at once.
  const { host, apiHost, storeHost } = advertise(options.address);
  const url = `http://${apiHost}:${await running.listen(gateway(running), host, options.port)}`;
  const store = s3(running, { tolerateHeader: options.address !== undefined });
  const storeUrl = `http://${storeHost}:${await running.listen(store, host, options.storePort)}`;
  const template = readAssembly(await assemblyOf(options, data.path), url);
  const tables = dataDir === undefined ? undefined : path.join(data.path, 'dynamodb');
  const json = jsonServices({ template, adminPassword, folder: tables, secrets, faults });
  const jsonUrl = `http://127.0.0.1:${await bind(json.server, '127.0.0.1', 0)}`;
  running.onStop(() => json.close());
  const credentials = { accessKeyId: VISITOR, secretAccessKey: secret };
  await createTables(template, { region, credentials, endpoint: jsonUrl });
  running.openBucket(template, data.path);
  running.functions = functionsOf(template, {
    surroundings: surroundings(storeUrl, jsonUrl, secret),
    most: options.environmentsPerFunction ?? 8,
    log: options.log ?? (() => {}),
  });
  running.onStop(() => Promise.all([...running.functions.values()].map((one) => one.kill())));
  const { functions } = running;
  const folder = path.join(data.path, 'queues');
  running.queues = queuesOf(template, { functions, folder, retryAfterMs: options.retryAfterMs });
  running.onStop(() => [...running.queues.values()].map((queue) => queue.stop()));
  running.onStop(startSchedules(template, functions));
  running.routes = routesOf(template, functions);
  const closed = template.resources('AWS::SecretsManager::Secret').length > 0;
  return Object.assign(running, {
    url,
    storeUrl,
    adminPassword: closed ? adminPassword : undefined,
    bucketName: running.bucket?.name ?? '',
    tableName: template.resources('AWS::DynamoDB::Table')[0]?.id ?? '',
    clientConfig: {
      region,
      credentials,
      endpoints: { s3: storeUrl, dynamodb: jsonUrl, secretsManager: jsonUrl },
    },
  });
}

export { synthesize } from './synthesize.ts';
