import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Template } from './template.ts';

/** How an invocation ended. */
export type Invocation =
  | { readonly outcome: 'answer'; readonly payload: string }
  | { readonly outcome: 'error'; readonly detail: string };

export type Log = (line: string) => void;

type FunctionProperties = {
  readonly Code: { readonly S3Key: string };
  readonly Handler: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
};

type FunctionSpec = {
  readonly name: string;
  readonly timeoutMs: number;
  /** How to start a thread with the function's bundle in it. */
  readonly worker: Pick<WorkerOptions, 'resourceLimits' | 'workerData'>;
  readonly env: Readonly<Record<string, string>>;
};

/** One worker thread with a function's bundle in it. */
class Environment {
  /** Rides as session token on every call to a store, so that their fronts know which environment calls. */
  readonly id = randomUUID();
  alive = true;
  readonly #worker: Worker;
  #settle: (invocation: Invocation) => void = () => {};
  #death = 'the execution environment ended by itself';

  constructor({ name, worker, env }: FunctionSpec, log: Log) {
    this.#worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      ...worker,
      env: { ...env, AWS_SESSION_TOKEN: this.id },
      execArgv: [], // not the runner's loader of TypeScript: a bundle must need none
      stdout: true,
      stderr: true,
    });
    this.#worker.on('message', (invocation: Invocation) => this.#settle(invocation));
    this.#worker.on('error', (error) => {
      this.#death = String(error.stack ?? error);
    });
    this.#worker.on('exit', () => {
      this.alive = false;
      this.#settle({ outcome: 'error', detail: this.#death });
    });
    const forward = (level: string) => (message: string) =>
      log(message.startsWith('{') ? message : JSON.stringify({ level, message, function: name }));
    createInterface({ input: this.#worker.stdout }).on('line', forward('info'));
    createInterface({ input: this.#worker.stderr }).on('line', forward('error'));
  }

  /** Ends the thread as a crash would. Whoever waits for its answer learns `why`. */
  async end(why: string): Promise<void> {
    this.#death = why;
    await this.#worker.terminate();
  }

  run(event: string, timeoutMs: number): Promise<Invocation> {
    const timer = setTimeout(() => void this.end(`timed out after ${timeoutMs} ms`), timeoutMs);
    return new Promise<Invocation>((resolve) => {
      this.#settle = resolve;
      this.#worker.postMessage({ event, requestId: randomUUID(), deadline: Date.now() + timeoutMs });
    }).finally(() => clearTimeout(timer));
  }
}

// More events than that wait for a free one.
const MOST_ENVIRONMENTS = 8;

/** Room for an execution environment, which is started when needed and then kept. */
type Slot = { environment?: Environment };

/** A function of the stack, in as many execution environments as it has slots. */
export class LambdaFunction {
  readonly #spec: FunctionSpec;
  readonly #log: Log;
  readonly #slots: readonly Slot[];
  readonly #free: Slot[];
  readonly #waiting: ((slot: Slot) => void)[] = [];

  constructor(spec: FunctionSpec, log: Log) {
    this.#spec = spec;
    this.#log = log;
    this.#slots = Array.from({ length: MOST_ENVIRONMENTS }, () => ({}));
    this.#free = [...this.#slots];
  }

  get busy(): boolean {
    return this.#free.length < this.#slots.length;
  }

  /** Runs one event. Never throws: a crash is an outcome. */
  readonly invoke = async (event: string): Promise<Invocation> => {
    const slot = this.#free.pop() ?? (await new Promise<Slot>((resolve) => this.#waiting.push(resolve)));
    if (!slot.environment?.alive) slot.environment = new Environment(this.#spec, this.#log);
    const invocation = await slot.environment.run(event, this.#spec.timeoutMs);
    if (invocation.outcome === 'error') {
      this.#log(JSON.stringify({ level: 'error', message: invocation.detail, function: this.#spec.name }));
    }
    const next = this.#waiting.shift();
    if (next !== undefined) next(slot);
    else this.#free.push(slot);
    return invocation;
  };

  /** Ends one environment, or all of them and whoever waits for one. */
  async kill(id?: string): Promise<void> {
    if (id === undefined) this.#waiting.length = 0;
    const environments = this.#slots.flatMap(({ environment }) => environment ?? []);
    const doomed = environments.filter((environment) => id === undefined || environment.id === id);
    await Promise.all(doomed.map((environment) => environment.end('killed')));
  }
}

/** The functions of a stack, by logical id. */
export type Functions = ReadonlyMap<string, LambdaFunction>;

/** @param surroundings variables that Lambda and our stores' addresses add to each function's own */
export function functionsOf(
  template: Template,
  surroundings: Readonly<Record<string, string>>,
  log: Log,
): Functions {
  const declared = template.resources<FunctionProperties>('AWS::Lambda::Function');
  return new Map(
    declared.map(({ id, properties: { Code, Handler, Timeout = 3, MemorySize = 128, Environment } }) => {
      const [file, handler] = Handler.split('.');
      const own = { AWS_ACCESS_KEY_ID: id, AWS_LAMBDA_FUNCTION_NAME: id };
      const env = { ...surroundings, ...Environment?.Variables, ...own };
      const worker = {
        resourceLimits: { maxOldGenerationSizeMb: MemorySize },
        workerData: { file: path.join(template.asset(Code.S3Key), `${file}.mjs`), handler },
      };
      return [id, new LambdaFunction({ name: id, timeoutMs: Timeout * 1000, env, worker }, log)];
    }),
  );
}
