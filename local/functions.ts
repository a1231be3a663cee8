import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { account, region, type Template } from './template.ts';

/** How an invocation ended. `late`: the caller stopped waiting, the function may still be running. */
export type Invocation =
  | { readonly outcome: 'answer'; readonly payload: string }
  | { readonly outcome: 'error'; readonly detail: string }
  | { readonly outcome: 'late'; readonly detail: string };

export type Log = (line: string) => void;

type FunctionSpec = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What worker.mjs asks for. */
  readonly bundle: { readonly file: string; readonly handler: string; readonly arn: string };
};

type FunctionProperties = {
  readonly Code: { readonly S3Key: string };
  readonly Handler: string;
  readonly Timeout?: number;
  readonly MemorySize?: number;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
};

/** One worker thread with a function's bundle in it. */
class Environment {
  /** Rides as session token on every call to a store, so that their fronts know which environment calls. */
  readonly id = randomUUID();
  alive = true;
  readonly #worker: Worker;
  readonly #spec: FunctionSpec;
  #settle: ((invocation: Invocation) => void) | undefined;
  #death = 'the execution environment ended by itself';

  constructor(spec: FunctionSpec, log: Log) {
    this.#spec = spec;
    this.#worker = new Worker(new URL('./worker.mjs', import.meta.url), {
      env: { ...spec.environment, AWS_SESSION_TOKEN: this.id },
      execArgv: [], // not the runner's loader of TypeScript: a bundle must need none
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: spec.memoryMb },
      workerData: spec.bundle,
    });
    this.#worker.on('message', (invocation: Invocation) => this.#settle?.(invocation));
    this.#worker.on('error', (error) => {
      this.#death = String(error.stack ?? error);
    });
    this.#worker.on('exit', () => {
      this.alive = false;
      this.#settle?.({ outcome: 'error', detail: this.#death });
    });
    this.#forward(this.#worker.stdout, 'info', log);
    this.#forward(this.#worker.stderr, 'error', log);
  }

  /** Ends the thread as a crash would. Whoever waits for its answer learns `why`. */
  async end(why: string): Promise<void> {
    this.#death = why;
    await this.#worker.terminate();
  }

  run(event: string): Promise<Invocation> {
    const { timeoutMs } = this.#spec;
    return new Promise((resolve) => {
      const timer = setTimeout(() => void this.end(`timed out after ${timeoutMs} ms`), timeoutMs);
      this.#settle = (invocation) => {
        clearTimeout(timer);
        this.#settle = undefined;
        resolve(invocation);
      };
      this.#worker.postMessage({ event, requestId: randomUUID(), deadline: Date.now() + timeoutMs });
    });
  }

  #forward(stream: NodeJS.ReadableStream, level: string, log: Log): void {
    createInterface({ input: stream }).on('line', (message) =>
      log(message.startsWith('{') ? message : JSON.stringify({ level, message, function: this.#spec.name })),
    );
  }
}

/** A function of the stack: up to `most` execution environments, started when needed and then kept. */
export class LambdaFunction {
  readonly #spec: FunctionSpec;
  readonly #most: number;
  readonly #log: Log;
  readonly #environments = new Set<Environment>();
  readonly #free: Environment[] = [];
  readonly #waiting: ((environment: Environment) => void)[] = [];

  constructor(spec: FunctionSpec, most: number, log: Log) {
    this.#spec = spec;
    this.#most = most;
    this.#log = log;
  }

  get busy(): boolean {
    return this.#waiting.length > 0 || this.#free.length < this.#environments.size;
  }

  /**
   * Runs one event. Never throws: a crash is an outcome.
   *
   * @param patienceMs how long the caller waits once the function runs
   */
  async invoke(event: string, patienceMs?: number): Promise<Invocation> {
    const environment = await this.#take();
    const running = environment.run(event).then((invocation) => {
      if (invocation.outcome === 'error') {
        this.#log(JSON.stringify({ level: 'error', message: invocation.detail, function: this.#spec.name }));
      }
      this.#giveBack(environment);
      return invocation;
    });
    if (patienceMs === undefined) return await running;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Invocation>((resolve) => {
      timer = setTimeout(
        () => resolve({ outcome: 'late', detail: `no answer in ${patienceMs} ms` }),
        patienceMs,
      );
    });
    return await Promise.race([running, late]).finally(() => clearTimeout(timer));
  }

  /** Ends one environment, or all of them. */
  async kill(id?: string): Promise<void> {
    const doomed = [...this.#environments].filter((environment) => id === undefined || environment.id === id);
    await Promise.all(doomed.map((environment) => environment.end('killed')));
  }

  #take(): Promise<Environment> | Environment {
    const free = this.#free.pop();
    if (free?.alive) return free;
    if (free !== undefined) this.#environments.delete(free);
    if (this.#environments.size >= this.#most) return new Promise((resolve) => this.#waiting.push(resolve));
    return this.#start();
  }

  #start(): Environment {
    const environment = new Environment(this.#spec, this.#log);
    this.#environments.add(environment);
    return environment;
  }

  #giveBack(environment: Environment): void {
    if (!environment.alive) this.#environments.delete(environment);
    const next = this.#waiting.shift();
    if (next !== undefined) next(environment.alive ? environment : this.#start());
    else if (environment.alive) this.#free.push(environment);
  }
}

/**
 * The functions of a template, by logical id.
 *
 * @param surroundings variables that Lambda and our stores' addresses add to each function's own
 */
export function functionsOf(
  template: Template,
  { surroundings, most, log }: { surroundings: Readonly<Record<string, string>>; most: number; log: Log },
): ReadonlyMap<string, LambdaFunction> {
  const declared = template.resources<FunctionProperties>('AWS::Lambda::Function');
  return new Map(
    declared.map(({ id, properties }) => {
      const [file = 'index', handler = 'handler'] = properties.Handler.split('.');
      const memoryMb = properties.MemorySize ?? 128;
      const spec: FunctionSpec = {
        name: id,
        timeoutMs: (properties.Timeout ?? 3) * 1000,
        memoryMb,
        bundle: {
          file: path.join(template.asset(properties.Code.S3Key), `${file}.mjs`),
          handler,
          arn: `arn:aws:lambda:${region}:${account}:function:${id}`,
        },
        environment: {
          ...surroundings,
          ...properties.Environment?.Variables,
          AWS_ACCESS_KEY_ID: id,
          AWS_LAMBDA_FUNCTION_NAME: id,
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        },
      };
      return [id, new LambdaFunction(spec, most, log)];
    }),
  );
}
