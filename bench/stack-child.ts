import path from 'node:path';
import { startLocal } from '../local/stack.ts';
import { readAssembly } from '../local/template.ts';
import type { DeployedFunction, Order, Report, Started } from './stack-process.ts';

type FunctionProperties = {
  readonly Code: { readonly S3Key: string };
  readonly MemorySize: number;
  readonly Environment?: { readonly Variables: Readonly<Record<string, string>> };
};

/** Runs a local stack as long as the process that forked this one wants it, and tells it where things are. */
async function main(assembly: string): Promise<void> {
  const stack = await startLocal({ assembly });
  const report = (message: Report) => void process.send?.(message);
  let holdsEvents = false;
  stack.deliver = (record) => {
    if (holdsEvents) report({ kind: 'event', record });
    return holdsEvents ? [] : [0];
  };
  // Each refresh puts one, whoever then makes its index current.
  stack.intercept = ({ operation, caller, key = '' }) => {
    const isRefresh = operation === 'PutObject' && /^index\/.*\/ranges\.json$/.test(key);
    if (isRefresh) report({ kind: 'refresh', caller });
    return 'pass';
  };
  process.on('message', (order: Order) => {
    holdsEvents = order.holdEvents;
    report({ kind: 'obeyed' });
  });
  process.on('disconnect', () => stack.stop().then(() => process.exit()));
  const { url, clientConfig, tableName, bucketName } = stack;
  const started: Started = { url, clientConfig, tableName, bucketName, functions: functionsIn(assembly) };
  process.send?.(started);
}

function functionsIn(assembly: string): DeployedFunction[] {
  const template = readAssembly(assembly);
  const declared = template.resources<FunctionProperties>('AWS::Lambda::Function');
  return declared.map(({ id, properties: { Code, MemorySize, Environment } }) => ({
    id,
    file: path.join(template.asset(Code.S3Key), 'index.mjs'),
    memoryMegabytes: MemorySize,
    environment: { ...Environment?.Variables },
  }));
}

await main(process.argv[2] ?? '');
