import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { aws, type Services } from './aws.ts';
import type { ServerCertificate } from './certificates.ts';
import { type Cors, corsOf } from './cors.ts';
import { takeDataFolder } from './data-folder.ts';
import { type DynamoDb, openDynamoDb, openTables } from './dynamodb.ts';
import type { Fate, StoreCall } from './faults.ts';
import { type Functions, functionsOf, type LambdaFunction, type Log } from './functions.ts';
import { gateway, type Routes, routesOf } from './gateway.ts';
import { advertise, bind, close } from './listen.ts';
import { type Queue, queuesOf } from './queue.ts';
import { actRecorder, type Recorder } from './recorded-acts.ts';
import { type Roles, rolesOf, statementsOf } from './roles.ts';
import { Bucket } from './s3-bucket.ts';
import { type BucketProperties, type Change, type EventRecord, eventRecord, queuesFor } from './s3-events.ts';
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
  /** Serves the API over HTTPS, by a CA that is kept in the data folder. @default false */
  readonly tls?: boolean;
  /** Where table, bucket and queues live. @default a temporary folder, removed by `stop` */
  readonly dataDir?: string;
  /** @default 'open'; an `assembly` decides this itself */
  readonly access?: 'open' | 'closed';
  /** Settings of the deployment, before those of cdk.json; an `assembly` decides them itself. */
  readonly settings?: Readonly<Record<string, string>>;
  /** @default a random one */
  readonly adminPassword?: string;
  /** Folder of an assembly that is synthesized already. */
  readonly assembly?: string;
  /** Receives one JSON object a line. @default nobody */
  readonly log?: Log;
  /** How long the gateway waits for a whole request. @default 30 s */
  readonly requestTimeoutMs?: number;
  /** Replaces the queues' visibility timeouts. */
  readonly retryAfterMs?: number;
  /** Replaces how long the queues gather messages before a function has them. */
  readonly gatherMs?: number;
};

// The access key of whoever holds `clientConfig`; a function's is its logical id.
const VISITOR = 'visitor';

type SecretProperties = {
  readonly GenerateSecretString: {
    readonly SecretStringTemplate: string;
    readonly GenerateStringKey: string;
  };
};

/** A stack on this computer; what is not there yet answers 503 or 404. */
export class LocalStack implements Services {
  url = '';
  /** File with the CA that clients are to trust; set when the API is served over HTTPS. */
  caFile: string | undefined;
  /** Of S3, and of the rest that functions call. */
  storeUrl = '';
  /** Set when the stack has a secret, which is when access is closed. */
  adminPassword: string | undefined;
  bucketName = '';
  tableName = '';
  /** Decides the fate of each call that a function makes to a store. */
  intercept: ((call: StoreCall) => Fate) | undefined;
  /** Told of each call to a store; one by a URL that a function signed is the function's. */
  onCall: ((call: StoreCall) => void) | undefined;
  /** Decides after how many milliseconds each copy of an S3 event arrives; an empty list loses it. */
  deliver: ((record: EventRecord) => readonly number[]) | undefined;
  readonly tolerateHeader: boolean;
  readonly secret = randomBytes(20).toString('hex');
  readonly secretStrings = new Map<string, string>();
  dynamoDb: DynamoDb | undefined;
  bucket: Bucket | undefined;
  routes: Routes | undefined;
  cors: Cors = {};
  #functions: Functions = new Map();
  #queues: ReadonlyMap<string, Queue> = new Map();
  readonly #options: LocalOptions;
  readonly #closers: (() => unknown)[] = [];

  constructor(options: LocalOptions) {
    this.#options = options;
    this.tolerateHeader = options.address !== undefined;
  }

  readonly faults = {
    decide: (call: StoreCall) => this.intercept?.(call) ?? 'pass',
    kill: async (environment: string) => {
      for (const one of this.#functions.values()) await one.kill(environment);
    },
  };

  #roles: Roles = () => false;
  #record: Recorder = () => {};

  /** A function may do what its role says, and a visitor everything. */
  readonly may: Roles = (id, act) => {
    if (id === VISITOR) return true;
    this.#record(id, act);
    return this.#roles(id, act);
  };

  readonly secrets = (id: string) => (id === VISITOR || this.#functions.has(id) ? this.secret : undefined);

  /** What an AWS SDK client needs to look into the stores. */
  get clientConfig() {
    const endpoints = { s3: this.storeUrl, dynamodb: this.storeUrl, secretsManager: this.storeUrl };
    return { region, credentials: { accessKeyId: VISITOR, secretAccessKey: this.secret }, endpoints };
  }

  async start(): Promise<void> {
    const { port, storePort, address, tls, dataDir, requestTimeoutMs } = this.#options;
    // The folder and the ports before the slow steps, so that a taken one is told at once.
    const { host, apiHost, storeHost } = advertise(address);
    this.storeUrl = `http://${storeHost}:${await this.#listen(createServer(aws(this)), host, storePort)}`;
    const holder = { pid: process.pid, url: this.storeUrl, secret: this.secret };
    const data = await takeDataFolder(dataDir, holder);
    this.#onStop(data.release);
    const certificate = tls ? await certificateIn(data.path) : undefined;
    this.caFile = certificate?.caFile;
    const api = gateway(this, { requestTimeoutMs, certificate });
    this.url = `http${tls ? 's' : ''}://${apiHost}:${await this.#listen(api, host, port)}`;
    const template = readAssembly(await assemblyOf(this.#options, data.path), this.url);
    this.cors = corsOf(template);
    const statements = statementsOf(template);
    this.#roles = rolesOf(statements);
    this.#record = actRecorder(process.env['CHARTROOM_ACTS'], statements);
    await this.#openStores(template, data.path);
    this.#startFunctions(template);
    const functionAt = (arn: string) => this.#functionAt(arn);
    const folder = path.join(data.path, 'queues');
    const { retryAfterMs, gatherMs } = this.#options;
    this.#queues = queuesOf(template, functionAt, { folder, retryAfterMs, gatherMs });
    this.#onStop(() => [...this.#queues.values()].map((queue) => queue.stop()));
    this.#onStop(startSchedules(template, functionAt));
    await checkSchema(template, functionAt);
    await seed(template, functionAt);
    this.routes = routesOf(template, functionAt);
  }

  /**
   * Runs a function, found by its logical id or the beginning of it, in any case and without dashes.
   *
   * @throws what the function failed with
   */
  async invoke(functionName: string, payload: unknown = null): Promise<unknown> {
    await this.#started();
    const start = functionName.replaceAll('-', '').toLowerCase();
    const [found, ...others] = [...this.#functions].filter(([id]) => id.toLowerCase().startsWith(start));
    if (found === undefined || others.length > 0) throw new Error(`${functionName} is not one function`);
    const invocation = await found[1].invoke(JSON.stringify(payload));
    if (invocation.outcome === 'error') throw new Error(invocation.detail);
    return JSON.parse(invocation.payload);
  }

  /** Resolves when no message waits, hidden ones included, and no function runs. */
  async idle(): Promise<void> {
    const busy = () =>
      [...this.#queues.values()].some(({ consumed, bodies }) => consumed && bodies.length > 0) ||
      [...this.#functions.values()].some((one) => one.busy);
    while (busy()) await sleep(10);
  }

  /** What was received too often, by queue. */
  deadLetters(): Readonly<Record<string, readonly string[]>> {
    const dead = [...this.#queues.values()].filter(({ consumed }) => !consumed);
    return Object.fromEntries(dead.map(({ name, bodies }) => [name, bodies]));
  }

  /** Sends what was received too often once more. @returns how many messages */
  async redrive(): Promise<number> {
    await this.#started();
    return [...this.#queues.values()].reduce((sum, queue) => sum + queue.takeBack(), 0);
  }

  async stop(): Promise<void> {
    for (const closer of this.#closers.splice(0)) await closer();
  }

  async #started(): Promise<void> {
    while (this.routes === undefined) await sleep(50, undefined, { ref: false });
  }

  /** What `stop` does, last first. */
  #onStop(closer: () => unknown): void {
    this.#closers.unshift(closer);
  }

  /** @returns the port */
  async #listen(server: Server, host: string, port = 0): Promise<number> {
    const bound = await bind(server, host, port);
    this.#onStop(() => close(server));
    return bound;
  }

  #functionAt(arn: string): LambdaFunction {
    const found = this.#functions.get(nameInArn(arn));
    if (found === undefined) throw new Error(`there is no function ${arn}`);
    return found;
  }

  async #openStores(template: Template, folder: string): Promise<void> {
    const { dataDir, adminPassword = randomBytes(15).toString('base64url') } = this.#options;
    const secrets = template.resources<SecretProperties>('AWS::SecretsManager::Secret');
    for (const { id, properties } of secrets) {
      const { SecretStringTemplate, GenerateStringKey } = properties.GenerateSecretString;
      const fields: object = JSON.parse(SecretStringTemplate);
      this.secretStrings.set(id, JSON.stringify({ ...fields, [GenerateStringKey]: adminPassword }));
    }
    this.adminPassword = this.secretStrings.size > 0 ? adminPassword : undefined;
    const dynamoDb = openDynamoDb(dataDir === undefined ? undefined : path.join(folder, 'dynamodb'));
    this.dynamoDb = dynamoDb;
    this.#onStop(() => dynamoDb.close());
    const [table] = await openTables(template, dynamoDb);
    this.tableName = table ?? '';
    const [declared] = template.resources<BucketProperties>('AWS::S3::Bucket');
    if (declared === undefined) return;
    this.bucketName = declared.id.toLowerCase();
    const files = new ObjectFiles(path.join(folder, 's3', this.bucketName));
    this.#onStop(() => files.close());
    const changed = (change: Change) => this.#notify(change, declared.properties);
    this.bucket = new Bucket({ name: this.bucketName, files, changed, secrets: this.secrets, may: this.may });
  }

  #notify(change: Change, properties: BucketProperties): void {
    const record = eventRecord(this.bucketName, change);
    for (const arn of queuesFor(properties, change)) {
      for (const delayMs of this.deliver?.(record) ?? [0]) {
        this.#queues.get(nameInArn(arn))?.send(JSON.stringify({ Records: [record] }), delayMs);
      }
    }
  }

  #startFunctions(template: Template): void {
    const surroundings = {
      AWS_REGION: region,
      AWS_SECRET_ACCESS_KEY: this.secret,
      AWS_ENDPOINT_URL: this.storeUrl,
      // The runner's Node may be older than the one the functions are deployed on.
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      TZ: ':UTC',
    };
    this.#functions = functionsOf(template, surroundings, this.#options.log ?? (() => {}));
    this.#onStop(() => Promise.all([...this.#functions.values()].map((one) => one.kill())));
  }
}

/** What makes certificates is loaded for those who ask for them: that takes a fifth of a second. */
async function certificateIn(folder: string): Promise<ServerCertificate> {
  const { serverCertificate } = await import('./certificates.ts');
  return await serverCertificate(path.join(folder, 'tls'));
}

/**
 * Has the deployment's own resource look at the data: over that of a newer Chartroom this one does not start.
 *
 * @throws Error that says which one does
 */
async function checkSchema(template: Template, functionAt: (arn: string) => LambdaFunction): Promise<void> {
  type Declared = { readonly ServiceToken: string };
  for (const { properties } of template.resources<Declared>('Custom::DataSchema')) {
    const checked = await functionAt(properties.ServiceToken).invoke('{}');
    if (checked.outcome === 'error') throw new Error(checked.detail.replace(/^Error: /, ''));
  }
}

/**
 * Has the deployment's own resource make the admin's account. The password is another one at each start, so that an
 * account which is there takes it.
 */
async function seed(template: Template, functionAt: (arn: string) => LambdaFunction): Promise<void> {
  type Declared = { readonly ServiceToken: string };
  for (const { properties } of template.resources<Declared>('Custom::AdminAccount')) {
    const seeding = await functionAt(properties.ServiceToken).invoke(JSON.stringify({ reset: true }));
    if (seeding.outcome === 'error') throw new Error(`the admin's account was not made: ${seeding.detail}`);
  }
}

/** The folder of the template to run, synthesized now unless it is given. */
async function assemblyOf(options: LocalOptions, folder: string): Promise<string> {
  const { assembly, access = 'open', settings } = options;
  if (assembly !== undefined) return assembly;
  const reason = access === 'open' && { accessReason: 'runs on this computer only' };
  const outDir = path.join(folder, 'assembly');
  rmSync(outDir, { recursive: true, force: true });
  // Nobody wants a chart published every few minutes while they work.
  return await synthesize({ outDir, context: { canaryMinutes: 0, ...settings, access, ...reason } });
}

/**
 * Runs the synthesized stack on this computer. Over a data folder it may be killed at any moment: what was
 * acknowledged is there at the next start, and the messages in the queues too; uploads in parts begin anew.
 *
 * @throws what keeps it from starting, after undoing the rest
 */
export async function startLocal(options: LocalOptions = {}): Promise<LocalStack> {
  const stack = new LocalStack(options);
  try {
    await stack.start();
    return stack;
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
