import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import type { EventRecord } from '../local/s3-events.ts';
import type { LocalStack } from '../local/stack.ts';
import { synthesize } from '../local/synthesize.ts';
import { systemClock } from '../shared/clock.ts';
import { refreshIndex } from '../shared/refresh.ts';
import { auditTable } from '../shared/store/audit-table.ts';
import { bucket } from '../shared/store/bucket.ts';
import { knownRepositoriesTable } from '../shared/store/known-repositories-table.ts';
import { labelsTable } from '../shared/store/labels-table.ts';
import { pointersTable } from '../shared/store/pointers-table.ts';
import { repositoriesTable } from '../shared/store/repositories-table.ts';
import { versionsTable } from '../shared/store/versions-table.ts';
import { hold } from './figures.ts';
import { root, seed, settingsOf } from './seed.ts';

/** A function as the template deploys it. */
export type DeployedFunction = {
  /** Logical. */
  readonly id: string;
  readonly file: string;
  readonly memoryMegabytes: number;
  readonly environment: Readonly<Record<string, string>>;
};

/** What the process of a stack says first. */
export type Started = Pick<LocalStack, 'url' | 'clientConfig' | 'tableName' | 'bucketName'> & {
  readonly functions: readonly DeployedFunction[];
};

/** What it says later. */
export type Report =
  | { readonly kind: 'event'; readonly record: EventRecord }
  | { readonly kind: 'refresh'; readonly caller: string }
  | { readonly kind: 'obeyed' };

/** What it is told. */
export type Order = { readonly holdEvents: boolean };

/** A local stack in a process of its own, so that whoever measures shares no event loop with it. */
export class StackProcess {
  readonly where: Started;
  /** Events of the bucket that were held. */
  readonly events: EventRecord[] = [];
  /** The functions that refreshed an index, in the order of time. */
  readonly refreshes: string[] = [];
  readonly stores: ReturnType<typeof storesOf>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #obeyed = () => {};

  constructor(child: ChildProcess, where: Started, folder: string) {
    this.#child = child;
    this.where = where;
    this.#folder = folder;
    this.stores = storesOf(where);
    child.on('message', (report: Report) => {
      if (report.kind === 'event') this.events.push(report.record);
      if (report.kind === 'refresh') this.refreshes.push(report.caller);
      if (report.kind === 'obeyed') this.#obeyed();
    });
  }

  get url(): string {
    return this.where.url;
  }

  /** @param id the beginning of the logical id */
  function(id: string): DeployedFunction {
    const found = this.where.functions.filter((each) => each.id.startsWith(id));
    const [only] = found;
    if (only === undefined || found.length > 1) throw new Error(`${id} is not one function`);
    return only;
  }

  /** Keeps the bucket's events from the queue, and hands them over here, until it is told otherwise. */
  async holdEvents(holdEvents: boolean): Promise<void> {
    const obeyed = new Promise<void>((resolve) => {
      this.#obeyed = resolve;
    });
    this.#child.send({ holdEvents } satisfies Order);
    await obeyed;
  }

  /** How many indexes were made current. */
  async flips(): Promise<number> {
    return (await this.stores.pointers.get(root))?.sequence ?? 0;
  }

  /** How many versions the current index lists. */
  async listed(): Promise<number> {
    return (await this.stores.pointers.get(root))?.versions ?? 0;
  }

  /** Whether the current index has all that was published. */
  async isSettled(): Promise<boolean> {
    for await (const _mark of this.stores.versions.marks(root)) return false;
    return true;
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    await ended;
    await rm(this.#folder, { recursive: true });
  }
}

/** Starts one with so many versions in the root repository, and an index of them. */
export async function startStack(count = 0): Promise<StackProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chartroom-bench-'));
  const context = { access: 'open', accessReason: 'runs on this computer only' };
  const assembly = await synthesize({ outDir: path.join(folder, 'assembly'), context });
  const child = fork(path.join(import.meta.dirname, 'stack-child.ts'), [assembly], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  });
  const [started]: Started[] = await once(child, 'message');
  if (started === undefined) throw new Error('the stack did not start');
  const stack = new StackProcess(child, started, folder);
  if (count > 0) {
    await seed(clientsOf(started).dynamo, started.tableName, count);
    await refreshIndex(stack.stores, root, { rebuildAtMost: Number.POSITIVE_INFINITY });
    hold('the first index lists every seeded version', (await stack.listed()) === count);
  }
  return stack;
}

/** Clients of the stores of a stack. */
export function clientsOf({ clientConfig }: Pick<Started, 'clientConfig'>) {
  const { region, credentials, endpoints } = clientConfig;
  return {
    dynamo: new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb }),
    s3: new S3Client({ region, credentials, endpoint: endpoints.s3, forcePathStyle: true }),
  };
}

const KEEP_DAYS = 400;

/** The stores of a stack, through the same code that the functions use. */
export function storesOf(where: Pick<Started, 'clientConfig' | 'tableName' | 'bucketName'>) {
  const { dynamo, s3 } = clientsOf(where);
  const { tableName, bucketName } = where;
  return {
    versions: versionsTable(dynamo, tableName),
    pointers: pointersTable(dynamo, tableName),
    audit: auditTable(dynamo, tableName, KEEP_DAYS),
    repositories: repositoriesTable(dynamo, tableName),
    knownRepositories: knownRepositoriesTable(dynamo, tableName, KEEP_DAYS),
    labels: labelsTable(dynamo, tableName, KEEP_DAYS),
    objects: bucket(s3, bucketName),
    settings: { format: 'json', chartUrl: '', contextPath: '' } as const,
    settingsOf,
    clock: systemClock,
    newId: randomUUID,
    report: () => {},
  };
}
