import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { StackProcess } from './stack-process.ts';

/** A call of a function to a store, its headers left out. */
export type Call = {
  readonly service: 's3' | 'dynamodb';
  /** AWS's name of it for DynamoDB, the HTTP method for S3. */
  readonly operation: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
};

/** What one event took. */
export type Cost = {
  readonly answer: unknown;
  readonly tookMs: number;
  /** Of the whole process, its garbage collection too. */
  readonly cpuMs: number;
  /** The most that the process ever had. */
  readonly mostMemoryMB: number;
  readonly calls: readonly Call[];
};

/** A function in a process of its own, which has nothing else in it; its stores are a stack's. */
export async function startFunction(stack: StackProcess, functionId: string) {
  const { id, file, memoryMegabytes, environment } = stack.function(functionId);
  const { region, credentials, endpoints } = stack.where.clientConfig;
  const env = {
    ...environment,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_ENDPOINT_URL: endpoints.s3,
    AWS_LAMBDA_FUNCTION_NAME: id,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
  const child = fork(path.join(import.meta.dirname, 'function-child.mjs'), [file], {
    env,
    execArgv: [`--max-old-space-size=${memoryMegabytes}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'], // what it logs is not asked for
  });
  await once(child, 'message');
  return {
    run: async (event: object): Promise<Cost> => {
      const answered = once(child, 'message');
      child.send(event);
      const [cost]: Cost[] = await answered;
      if (cost === undefined) throw new Error(`${id} did not answer`);
      return cost;
    },
    stop: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
